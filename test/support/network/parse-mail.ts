/** A part of a mail, by RFC 2045 and RFC 2046; not by the library that makes mails. */
export interface MailPart {
  /** By names in lower case, unfolded, as they stand there. */
  readonly headers: Readonly<Record<string, string>>;
  readonly type: string;
  readonly parts: readonly MailPart[];
  /** Decoded; empty where there are parts. */
  readonly content: Buffer;
}

export function parseMail(raw: string): MailPart {
  const end = raw.indexOf("\r\n\r\n");
  const headers = headersOf(raw.slice(0, end));
  const body = raw.slice(end + 4);
  const contentType = headers["content-type"] ?? "text/plain";
  const type = (contentType.split(";")[0] ?? "").trim();
  const [, boundary] = /boundary="([^"]+)"/.exec(contentType) ?? [];
  if (boundary === undefined)
    return { headers, type, parts: [], content: decoded(body, headers["content-transfer-encoding"]) };
  if (!body.includes(`--${boundary}--`)) throw new Error(`the boundary ${boundary} is not closed`);
  const [inner = ""] = body.split(`--${boundary}--`);
  const parts = inner.split(`--${boundary}\r\n`).slice(1);
  return { headers, type, parts: parts.map(parseMail), content: Buffer.alloc(0) };
}

/** All parts that have no parts. */
export function leaves(part: MailPart): MailPart[] {
  return part.parts.length === 0 ? [part] : part.parts.flatMap(leaves);
}

function headersOf(text: string): Record<string, string> {
  const lines = text.replace(/\r\n[ \t]+/g, " ").split("\r\n");
  return Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(":")).toLowerCase(),
      line.slice(line.indexOf(":") + 1).trim(),
    ]),
  );
}

function decoded(body: string, encoding = "7bit"): Buffer {
  if (encoding === "base64") return Buffer.from(body, "base64");
  if (encoding !== "quoted-printable") return Buffer.from(body.replace(/\r\n$/, ""), "utf8");
  const joined = body.replace(/=\r\n/g, "").replace(/\r\n$/, "");
  const bytes = joined.replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1");
}
