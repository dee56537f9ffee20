"""Links between nodes that a test can cut: each node listens on a loopback address of its own, and what others know
as its address is a forwarder of this process."""
import asyncio
import threading

PIECE = 1 << 18


class Link:
    """Forwards 127.0.0.1:port to host:port, in a thread of its own, from start() to close()."""

    def __init__(self, port, host):
        self.port = port
        self.host = host
        self.forwarded = 0          # bytes towards the node
        self.open_ = True
        self.writers = set()
        self.loop = asyncio.new_event_loop()
        self.server = None
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def start(self):
        self.thread.start()
        self._run(self._listen())
        return self

    def cut(self):
        """Ends every connection, and every later one at once, until mend()."""
        self.open_ = False
        self.loop.call_soon_threadsafe(self._drop)

    def mend(self):
        self.open_ = True

    def close(self):
        self.open_ = False
        self._run(self._end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10.0)

    async def _end(self):
        self.server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10.0)

    async def _listen(self):
        self.server = await asyncio.start_server(self._accepted, "127.0.0.1", self.port, limit=PIECE)

    def _drop(self):
        for writer in self.writers:
            writer.transport.abort()

    async def _accepted(self, reader, writer):
        self.writers.add(writer)
        far = None
        try:
            if not self.open_:
                return
            far_reader, far = await asyncio.open_connection(self.host, self.port, limit=PIECE)
            self.writers.add(far)
            await asyncio.gather(self._copy(reader, far, True), self._copy(far_reader, writer, False))
        except OSError:
            pass
        finally:
            for each in (writer, far):
                if each is not None:
                    self.writers.discard(each)
                    each.transport.abort()

    async def _copy(self, reader, writer, count):
        try:
            while data := await reader.read(PIECE):
                if count:
                    self.forwarded += len(data)
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()
