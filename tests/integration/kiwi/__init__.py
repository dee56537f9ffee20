"""What the integration tests share: processes, a cluster, a client that never retries, transcripts."""
