import { createHash } from "node:crypto";
import { request } from "node:http";
import { buffer } from "node:stream/consumers";
import type { TestSluice } from "../running/test-sluice.js";

export interface RawPush {
  /** `OLD NEW REF`, whatever it is. */
  readonly commands: readonly string[];
  /** Push options, whatever they contain. */
  readonly options?: readonly string[];
}

/**
 * A push as no git would send it (gitprotocol-pack(5), gitprotocol-http(5)): commands and options are taken as they are,
 * and the pack is empty. Answers all that came back, side bands 1 (the report) and 2 (what the pusher sees) in one text.
 */
export async function rawPush(
  { controlPort }: TestSluice,
  path: string,
  token: string,
  push: RawPush,
): Promise<string> {
  const outgoing = request({
    host: "127.0.0.1",
    port: controlPort,
    path: `${path}/git-receive-pack`,
    method: "POST",
    agent: false,
    auth: `raw:${token}`,
    headers: { "content-type": "application/x-git-receive-pack-request" },
  });
  const answered = new Promise<Buffer>((resolve, reject) => {
    outgoing.once("error", reject);
    outgoing.once("response", (response) => void buffer(response).then(resolve, reject));
  });
  outgoing.end(requestOf(push));
  return textOf(await answered);
}

export const NO_OBJECT = "0".repeat(40);

function requestOf({ commands, options = [] }: RawPush): Buffer {
  const capabilities = `report-status side-band-64k${options.length > 0 ? " push-options" : ""} agent=raw`;
  const lines = commands.map((command, index) =>
    pktLine(index === 0 ? `${command}\0${capabilities}` : command),
  );
  const optionLines = options.length > 0 ? [...options.map(pktLine), FLUSH] : [];
  return Buffer.concat([...lines, FLUSH, ...optionLines, emptyPack()]);
}

const FLUSH = Buffer.from("0000");

function pktLine(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, "0")), bytes]);
}

/** gitformat-pack(5): signature, version 2, no objects, checksum. */
function emptyPack(): Buffer {
  const head = Buffer.from("5041434b0000000200000000", "hex");
  return Buffer.concat([head, createHash("sha1").update(head).digest()]);
}

function textOf(answer: Buffer): string {
  let text = "";
  for (let at = 0; at + 4 <= answer.length;) {
    const length = parseInt(answer.toString("latin1", at, at + 4), 16);
    if (Number.isNaN(length)) return text + answer.toString("utf8", at);
    if (length > 4) text += answer.toString("utf8", at + 5, at + length);
    at += Math.max(4, length);
  }
  return text;
}
