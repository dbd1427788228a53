/** Server-sent events: `release`, at once and then every `everyMs`, until the client leaves or we stop. */
export function streamEvents(res, { release, stopping, everyMs = 1_000 }) {
  res.writeHead(200, { "Content-Type": "text/event-stream", "X-Accel-Buffering": "no" });
  if (res.req.method === "HEAD" || stopping.aborted) {
    res.end();
    return;
  }
  const send = () => {
    // Nothing is piled up for a client that does not read.
    if (!res.writableNeedDrain) res.write(`data: ${release}\n\n`);
  };
  const end = () => res.end();
  const timer = setInterval(send, everyMs);
  stopping.addEventListener("abort", end);
  res.once("close", () => {
    clearInterval(timer);
    stopping.removeEventListener("abort", end);
  });
  send();
}
