/**
 * Ends an HTTP server without breaking what it has begun.
 * `signal` is aborted at the start, for those who hold a connection open (streams, WebSockets) to say goodbye.
 */
export class Shutdown {
  #server;
  #stopping = new AbortController();
  #answering = new Set();
  #sockets = new Set();
  #silent = new Set();

  constructor(server) {
    this.#server = server;
    server.on("connection", (socket) => this.#watchSocket(socket));
    server.on("request", (req, res) => this.#watchAnswer(req, res));
    server.on("upgrade", (req) => this.#silent.delete(req.socket));
  }

  get signal() {
    return this.#stopping.signal;
  }

  /**
   * Resolves when the last connection has closed: `cut` are those that were still open after `deadlineMs`. A connection
   * that has never asked anything is closed after `silentMs`: its first request may be on the way.
   */
  async run({ deadlineMs = 24_000, silentMs = 1_000 } = {}) {
    let cut = 0;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#stopping.abort();
    for (const res of this.#answering) announceClose(res);
    const silence = setTimeout(() => destroyAll(this.#silent), silentMs);
    const deadline = setTimeout(() => (cut = destroyAll(this.#sockets)), deadlineMs);
    await closed;
    clearTimeout(silence);
    clearTimeout(deadline);
    return { cut };
  }

  #watchSocket(socket) {
    this.#sockets.add(socket);
    this.#silent.add(socket);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#silent.delete(socket);
    });
  }

  #watchAnswer(req, res) {
    this.#silent.delete(req.socket);
    this.#answering.add(res);
    if (this.signal.aborted) announceClose(res);
    res.once("close", () => {
      this.#answering.delete(res);
      // A stream that had begun before the stop could not announce the end of its connection.
      if (this.signal.aborted) setImmediate(() => this.#server.closeIdleConnections());
    });
  }
}

function announceClose(res) {
  if (!res.headersSent) res.setHeader("Connection", "close");
}

function destroyAll(sockets) {
  const count = sockets.size;
  for (const socket of sockets) socket.destroy();
  return count;
}
