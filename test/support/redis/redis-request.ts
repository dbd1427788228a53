/** A request's words: the command, then its arguments. */
export type RedisRequest = readonly string[];

/** Splits what a client sends into requests: arrays of bulk strings (redis.io, "Redis serialization protocol"). */
export class RequestReader {
  private rest = Buffer.alloc(0);

  /** The requests that are whole by now, each with its bytes. */
  read(bytes: Buffer): { readonly request: RedisRequest; readonly raw: Buffer }[] {
    this.rest = Buffer.concat([this.rest, bytes]);
    const requests = [];
    for (let next = parse(this.rest); next !== undefined; next = parse(this.rest)) {
      requests.push({ request: next.request, raw: this.rest.subarray(0, next.end) });
      this.rest = this.rest.subarray(next.end);
    }
    return requests;
  }
}

function parse(bytes: Buffer): { request: string[]; end: number } | undefined {
  const head = line(bytes, 0);
  if (head === undefined) return undefined;
  if (!head.text.startsWith("*")) throw new Error(`no request of Redis: ${head.text}`);
  const request: string[] = [];
  let at = head.end;
  for (let left = Number(head.text.slice(1)); left > 0; left--) {
    const size = line(bytes, at);
    if (size === undefined) return undefined;
    const end = size.end + Number(size.text.slice(1));
    if (bytes.length < end + 2) return undefined;
    request.push(bytes.toString("utf8", size.end, end));
    at = end + 2;
  }
  return { request, end: at };
}

function line(bytes: Buffer, from: number): { text: string; end: number } | undefined {
  const end = bytes.indexOf("\r\n", from);
  return end < 0 ? undefined : { text: bytes.toString("utf8", from, end), end: end + 2 };
}
