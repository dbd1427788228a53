import { createHmac } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { Dice } from "../dice.js";
import { hostileJson, hostilePush } from "../hostile-json.js";
import { requestHead, wholeOrCut, type RawRequest } from "./raw-exchange.js";

/** What an attacker knows at best. */
export interface Target {
  /** With a webhook and flags. */
  readonly app: string;
  readonly secret: string;
  readonly adminToken: string;
  readonly flagsToken: string;
}

export interface HostileRequest extends RawRequest {
  readonly kind: string;
}

/** Requests to the control port of every bad kind. */
export function hostileRequest(dice: Dice, target: Target): HostileRequest {
  const [kind, make] = dice.oneOf(Object.entries(KINDS));
  return { kind, ...make(dice, target) };
}

type Headers = Record<string, string>;
type Maker = (dice: Dice, target: Target) => RawRequest;

const KINDS: Readonly<Record<string, Maker>> = {
  bytes: (dice) => ({ parts: [dice.bytes(dice.between(1, 3000))], then: ending(dice) }),
  headers: (dice, target) =>
    wholeOrCut(dice, {
      path: anyPath(dice, target),
      method: anyMethod(dice),
      headers: badHeaders(dice),
      body: "{}",
    }),
  chunks: (dice, target) => {
    const encoding = dice.oneOf(["chunked", "gzip, chunked", "chunked, chunked", "nothing"]);
    const headers = { ...proof(dice, target, ""), "transfer-encoding": encoding };
    const head = requestHead({ path: postPath(dice, target), method: "POST", headers });
    return { parts: [Buffer.from(head + badChunks(dice), "latin1")], then: ending(dice) };
  },
  length: (dice, target) => {
    const body = hostileJson(dice);
    const wrong = [
      body.length + 5,
      Math.max(0, body.length - 5),
      26 * 1024 ** 2,
      0,
      -1,
      "1e3",
      "9".repeat(20),
      "x",
      "1, 2",
      "",
    ];
    const headers = { ...proof(dice, target, body), "content-length": String(dice.oneOf(wrong)) };
    const head = requestHead({ path: postPath(dice, target), method: "POST", headers });
    return { parts: [Buffer.from(head + body)], then: ending(dice) };
  },
  path: (dice, target) => {
    const headers = { authorization: `Bearer ${target.adminToken}` };
    return wholeOrCut(dice, {
      path: badPath(dice, target),
      method: dice.mostly("GET", () => anyMethod(dice)),
      headers,
    });
  },
  encoding: (dice, target) => {
    const json = hostileJson(dice);
    const body = dice.madeBy([
      () => gzipSync(json),
      // Much that is little on the way.
      () => gzipSync("0".repeat(5_000_000)),
      () => gzipSync(json).subarray(0, 12),
      () => Buffer.from(json),
    ]);
    const type = dice.oneOf(["", "; charset=utf-7", "; charset=", ";;"]);
    const headers = {
      ...proof(dice, target, body),
      "content-encoding": dice.word("gzip deflate br zstd x gzip,gzip identity"),
      "content-type": `${dice.word("application/json text/html multipart/form-data application/x-www-form-urlencoded")}${type}`,
    };
    return wholeOrCut(dice, { path: postPath(dice, target), method: "POST", headers, body });
  },
  slow: (dice, target) => {
    const body = hostileJson(dice).slice(0, 2000);
    const headers = { ...proof(dice, target, body), "content-length": String(Buffer.byteLength(body)) };
    const all = Buffer.from(requestHead({ path: postPath(dice, target), method: "POST", headers }) + body);
    const cut = all.subarray(0, dice.between(1, all.length));
    const size = Math.ceil(cut.length / dice.between(2, 12));
    const count = Math.ceil(cut.length / size);
    const parts = Array.from({ length: count }, (_, index) => cut.subarray(index * size, (index + 1) * size));
    return { parts, then: ending(dice) };
  },
  "mangled webhook": (dice, target) => {
    const body = dice.madeBy([() => hostilePush(dice), () => hostileJson(dice), () => dice.text(300)]);
    const names = HOST_HEADERS.filter(() => dice.next() < 0.4);
    const headers = Object.fromEntries(names.map((name) => [name, hostHeader(dice, target, body)]));
    return wholeOrCut(dice, { path: `/webhooks/${target.app}`, method: "POST", headers, body });
  },
  "signed webhook": (dice, target) => {
    const body = dice.madeBy([
      () => hostilePush(dice),
      () => hostileJson(dice),
      () => dice.text(300),
      () => "",
    ]);
    const headers = proof(dice, target, body);
    return wholeOrCut(dice, { path: `/webhooks/${target.app}`, method: "POST", headers, body });
  },
  flags: (dice, target) => {
    const value = dice.madeBy([() => hostileJson(dice).slice(0, 12_000), () => dice.text(100), () => "1"]);
    const name = dice.mostly("dark", () =>
      dice.oneOf(["deep", "__proto__", "constructor", "a b", "..", dice.text(8)]),
    );
    const app = dice.mostly(target.app, () => dice.word("nobody __proto__ .."));
    const query = dice.mostly(`?token=${target.adminToken}`, () =>
      dice.word("?token[]=x ?token=a&token=b ?__proto__[x]=y"),
    );
    const path = `/flags/${app}/${encoded(dice, name)}/${encoded(dice, value)}${query}`;
    const headers = dice.mostly<Headers>({}, () =>
      dice.oneOf<Headers>([
        { "sec-fetch-site": dice.text(10) },
        { origin: "null" },
        { referer: dice.text(30) },
      ]),
    );
    return wholeOrCut(dice, { path, method: dice.mostly("GET", () => anyMethod(dice)), headers });
  },
  ofrep: (dice, target) => {
    const name = dice.oneOf(["", "/dark", "/deep", "/none", "/__proto__", "/%ff", "/a%2fb"]);
    const headers = {
      ...dice.oneOf<Headers>([
        { authorization: `Bearer ${target.flagsToken}` },
        { "x-api-key": target.flagsToken },
        { "x-api-key": dice.text(40) },
      ]),
      "if-none-match": dice.mostly("*", () => dice.text(20)),
    };
    const body = dice.madeBy([
      () => `{"context": ${hostileJson(dice)}}`,
      () => hostileJson(dice),
      () => dice.text(200),
    ]);
    const path = `/flags/${target.app}/ofrep/v1/evaluate/flags${name}`;
    return wholeOrCut(dice, { path, method: dice.mostly("POST", () => anyMethod(dice)), headers, body });
  },
  api: (dice, target) => {
    const [method = "", path = ""] = dice.oneOf(API_CALLS).split(" ");
    const json = hostileJson(dice);
    const body = dice.oneOf([
      json,
      `{"value": ${json}}`,
      JSON.stringify({ text: json }),
      `{"percent": ${json}}`,
      `{"source": ${json}}`,
    ]);
    const headers = { authorization: `Bearer ${target.adminToken}`, "content-type": "application/json" };
    return wholeOrCut(dice, { path: `/api/apps/${target.app}/${path}`, method, headers, body });
  },
  git: (dice, target) => {
    const what = dice.word(
      "info/refs?service=git-receive-pack info/refs?service=git-upload-pack info/refs?service=x git-receive-pack git-upload-pack HEAD objects/../../../../etc/passwd",
    );
    const headers = {
      authorization: `Basic ${btoa(`git:${dice.mostly(target.adminToken, () => "x")}`)}`,
      "content-encoding": dice.word("gzip identity x"),
      "git-protocol": dice.mostly("version=2", () => dice.text(20)),
    };
    const command = `00a0${"0".repeat(40)} ${"1".repeat(40)} refs/heads/x\0 report-status`;
    const body = dice.madeBy([() => dice.bytes(500), () => Buffer.from("0000"), () => Buffer.from(command)]);
    const app = dice.mostly(target.app, () => dice.word(".. nobody"));
    return wholeOrCut(dice, {
      path: `/git/${app}.git/${what}`,
      method: dice.word("GET POST"),
      headers,
      body,
    });
  },
};

const API_CALLS = [
  ...["PUT flags/dark", "PUT flags/deep", "GET flags/changes", "PUT webhook", "PATCH config", "PUT weight"],
  ...["POST notifications", "POST deliveries/1e3/replay", "POST rollback", "POST promote", "POST scale"],
  ...["GET deliveries?x[]=1", "GET traffic?from=1e999&to=-1", "GET logs?lines=1e9"],
];

const HOST_HEADERS = [
  ..."x-github-event x-github-delivery x-hub-signature-256 x-hub-signature x-signature-256 content-type".split(
    " ",
  ),
  ..."x-gitlab-event x-gitlab-token idempotency-key x-event-key x-request-uuid".split(" "),
  ..."x-gitea-event x-gitea-delivery x-gitea-signature webhook-id webhook-timestamp webhook-signature".split(
    " ",
  ),
];

function hostHeader(dice: Dice, { secret }: Target, body: string): string {
  return dice.madeBy([
    () => dice.oneOf(["push", "Push Hook", "repo:push", "", "v1,AAAA v1, v1a,x", "1e99", "x".repeat(9000)]),
    () => dice.mostly("x,y", () => dice.text(60)),
    () => `sha256=${"0".repeat(64)}`,
    () => `sha256=${hmac(secret, body)}`,
    () => secret.slice(0, -1),
    () => String(Math.floor(Date.now() / 1000)),
  ]);
}

/** What lets a body through, when it is none of those that are refused at the door. */
function proof(dice: Dice, { secret, adminToken }: Target, body: string | Buffer): Headers {
  const signature = hmac(secret, body);
  const ofHost = dice.oneOf<Headers>([
    { "x-github-event": dice.word("push ping"), "x-hub-signature-256": `sha256=${signature}` },
    { "x-gitea-event": dice.word("push delete"), "x-gitea-signature": signature },
    { "x-event-key": "repo:push", "x-hub-signature": `sha256=${signature}` },
    { "x-gitlab-event": dice.oneOf(["Push Hook", "Tag Push Hook"]), "x-gitlab-token": secret },
    { "x-signature-256": `sha256=${signature}` },
  ]);
  return { authorization: `Bearer ${adminToken}`, ...ofHost };
}

function hmac(secret: string, body: string | Buffer): string {
  return createHmac("sha256", secret).update(body).digest("hex");
}

function badHeaders(dice: Dice): Headers {
  return dice.madeBy<Headers>([
    () => ({ [`x-${"h".repeat(dice.between(1, 20_000))}`]: "1" }),
    () => ({ "x-huge": "v".repeat(dice.between(15_000, 60_000)) }),
    () => Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`x-${index}`, "1"])),
    () => ({ "x-bytes": dice.text(200) }),
    () => ({ "bad name": "1", ":": ":", "": "" }),
    () => ({ "content-length": "5", "transfer-encoding": "chunked" }),
    () => ({ upgrade: "websocket", connection: "Upgrade" }),
    () => ({ expect: dice.word("100-continue 200-ok") }),
    () => ({ host: dice.oneOf(["", "[", "a b", "x".repeat(5000)]) }),
    () => ({ connection: dice.text(50), te: "trailers", trailer: "x" }),
  ]);
}

function badChunks(dice: Dice): string {
  return dice.oneOf([
    ...["5\r\nhello\r\n", "5\r\nhel", "zz\r\n", "-1\r\n", `${"f".repeat(18)}\r\n`, "\r\n\r\n"],
    ...["0\r\nx: y\r\n\r\n", "5;a=b\r\nhello\r\n0\r\n\r\n", `5;${"e".repeat(20_000)}\r\n`],
  ]);
}

function postPath(dice: Dice, { app }: Target): string {
  return dice.mostly(`/webhooks/${app}`, () =>
    dice.word(
      `/api/apps/${app}/flags/dark /flags/${app}/ofrep/v1/evaluate/flags /git/${app}.git/git-receive-pack /api/tokens/x`,
    ),
  );
}

function anyPath(dice: Dice, target: Target): string {
  return dice.mostly(postPath(dice, target), () =>
    dice.word(`/ /healthz /metrics /api/apps /disable/1 /logs/${target.app}/v1/x`),
  );
}

function badPath(dice: Dice, { app }: Target): string {
  const parts = Array.from({ length: dice.between(1, 5) }, () =>
    dice.oneOf([
      ..."%2e%2e %2f %5c %00 %ff % %zz .. . * ; ? # __proto__ constructor".split(" "),
      ...["", app, "a".repeat(6000), encodeURIComponent(dice.text(10))],
    ]),
  );
  const root = dice.word(
    "/webhooks/ /flags/ /api/apps/ /git/ /logs/ /disable/ // / http://x/ http://[/ * //git// \\",
  );
  return root + parts.join("/");
}

function anyMethod(dice: Dice): string {
  return dice.word("GET POST POST POST PUT HEAD OPTIONS TRACE CONNECT PROPFIND get BREW ");
}

function ending(dice: Dice): RawRequest["then"] {
  return dice.oneOf(["wait", "end", "end", "leave"] as const);
}

function encoded(dice: Dice, value: string): string {
  return dice.next() < 0.9 ? encodeURIComponent(value) : value.replaceAll(/\s/g, "+");
}
