// Talks to a Kiwi cluster through ioredis' Cluster. Knows one start node; the leader is found by the client.
//
//   node ioredis_cluster.js HOST:PORT
//
// Reads one command per line from standard input ("SET k v"), prints its reply as one line of JSON.
"use strict";
const readline = require("readline");
const Redis = require("ioredis");

const [host, port] = process.argv[2].split(":");
const cluster = new Redis.Cluster([{ host, port: Number(port) }], {
  redisOptions: { connectTimeout: 3000, commandTimeout: 8000 },
  clusterRetryStrategy: () => 100,
  retryDelayOnClusterDown: 100,
  retryDelayOnFailover: 100,
  maxRedirections: 64,
});
cluster.on("error", () => {}); // a lost node is what this test is about; commands report their own errors

const lines = readline.createInterface({ input: process.stdin });
let queue = Promise.resolve();
lines.on("line", (line) => {
  const [name, ...args] = line.split(" ");
  queue = queue.then(async () => {
    try {
      console.log(JSON.stringify({ reply: await cluster.call(name, ...args) }));
    } catch (error) {
      console.log(JSON.stringify({ error: String(error.message) }));
    }
  });
});
lines.on("close", () => queue.then(() => cluster.disconnect()));
