import { sign } from "@octokit/webhooks-methods";
import { expect } from "chai";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import type { Incoming } from "../../../../../server/webhooks/forges/forge.js";
import { forgeOf } from "../../../../../server/webhooks/forges/forge-of.js";
import {
  asForgejo,
  asForm,
  bitbucketPush,
  bitbucketSigned,
  COMMIT,
  delivery,
  giteaPush,
  giteaSigned,
  githubPush,
  githubSigned,
  gitlabPush,
  gitlabSigned,
  NOW,
  NOW_SECONDS,
  SECRET,
  sha256Of,
  standardHeaders,
  withHeaders,
} from "./deliveries.js";

interface Proof {
  readonly unsigned: Incoming;
  readonly signed: (incoming: Incoming, secret?: string) => Incoming | Promise<Incoming>;
  /** Each of them is part of the proof. */
  readonly headers: readonly string[];
}

const refusal = (incoming: Incoming, secret = SECRET, now = NOW): string | undefined =>
  forgeOf(incoming.headers).refusal(incoming, secret, now);

const MAIN = "refs/heads/main";
const ANY = delivery({}, { branch: "main", commit: COMMIT });
const STANDARD = ["webhook-signature", "webhook-id", "webhook-timestamp"];
const otherSigned = async (incoming: Incoming, secret?: string): Promise<Incoming> =>
  withHeaders(incoming, { "x-signature-256": await sha256Of(incoming.body, secret) });
const forgejoSigned = async (incoming: Incoming, secret?: string): Promise<Incoming> =>
  asForgejo(await giteaSigned(incoming, secret));
const standardSigned = (incoming: Incoming, secret?: string): Incoming =>
  withHeaders(incoming, standardHeaders(incoming.body, secret));

/** Proofs by HMAC-SHA256 in hexadecimal digits over the raw body. */
const HEX_PROOFS: Readonly<Record<string, Proof>> = {
  "GitHub's": {
    unsigned: githubPush(MAIN, COMMIT),
    signed: githubSigned,
    headers: ["X-Hub-Signature-256"],
  },
  "GitHub's, of a form,": {
    unsigned: asForm(githubPush(MAIN, COMMIT)),
    signed: githubSigned,
    headers: ["X-Hub-Signature-256"],
  },
  "Gitea's": { unsigned: giteaPush(MAIN, COMMIT), signed: giteaSigned, headers: ["X-Gitea-Signature"] },
  "Forgejo's": { unsigned: giteaPush(MAIN, COMMIT), signed: forgejoSigned, headers: ["X-Forgejo-Signature"] },
  "Bitbucket's": {
    unsigned: bitbucketPush({ new: { type: "branch", name: "main", hash: COMMIT }, old: null }),
    signed: bitbucketSigned,
    headers: ["X-Hub-Signature"],
  },
  "another sender's": { unsigned: ANY, signed: githubSigned, headers: ["X-Hub-Signature-256"] },
  "another sender's in X-Signature-256": { unsigned: ANY, signed: otherSigned, headers: ["X-Signature-256"] },
};

const STANDARD_PROOFS: Readonly<Record<string, Proof>> = {
  "GitLab's": { unsigned: gitlabPush(MAIN, COMMIT), signed: gitlabSigned, headers: STANDARD },
  "another sender's by Standard Webhooks": { unsigned: ANY, signed: standardSigned, headers: STANDARD },
};

for (const [whose, proof] of Object.entries({ ...HEX_PROOFS, ...STANDARD_PROOFS })) {
  describe(`a signature: ${whose}`, () => {
    const { unsigned, headers } = proof;
    const signed = async (incoming = unsigned, secret = SECRET): Promise<Incoming> =>
      proof.signed(incoming, secret);

    it("holds as the host's way of signing makes it, and only where it is", async () => {
      expect(refusal(await signed())).to.equal(undefined);
      expect(refusal(unsigned)).to.include("missing");
    });

    it("holds for any bytes that were signed", async () => {
      const body = fc.string({ unit: "binary", minLength: 1 }).map((text) => Buffer.from(text));
      await fc.assert(
        fc.asyncProperty(body, async (bytes) => {
          expect(refusal(await signed({ ...unsigned, body: bytes }))).to.equal(undefined);
        }),
      );
    });

    it("does not hold when a bit of the body is another: every bit of a small one", async () => {
      const small = await signed({ ...unsigned, body: Buffer.from('{"ref":"refs/heads/main"}') });
      expect(refusal(small)).to.equal(undefined);
      for (let bit = 0; bit < small.body.length * 8; bit++)
        expect(refusal({ ...small, body: flipped(small.body, bit) })).to.include("does not match");
    });

    it("does not hold when a bit of the body is another: any bit of a large one", async () => {
      const text = "a word ".repeat(20_000);
      const large = await signed({ ...unsigned, body: Buffer.from(text) });
      fc.assert(
        fc.property(fc.nat(text.length * 8 - 1), (bit) => {
          expect(refusal({ ...large, body: flipped(large.body, bit) })).to.include("does not match");
        }),
      );
    });

    it("does not hold when a bit of the proof is another: every bit", async () => {
      const incoming = await signed();
      for (const header of headers) {
        const value = Buffer.from(String(incoming.headers[header.toLowerCase()]), "latin1");
        for (let bit = 0; bit < value.length * 8; bit++) {
          const changed = flipped(value, bit).toString("latin1");
          expect(refusal(withHeaders(incoming, { [header.toLowerCase()]: changed })), changed).to.be.a(
            "string",
          );
        }
      }
    });

    it("does not hold for a body that is shorter or longer", async () => {
      const incoming = await signed();
      for (const body of [incoming.body.subarray(1), incoming.body.subarray(0, -1), Buffer.from("")])
        expect(refusal({ ...incoming, body })).to.include("does not match");
      const longer = Buffer.concat([incoming.body, Buffer.from("\n")]);
      expect(refusal({ ...incoming, body: longer })).to.include("does not match");
    });

    it("does not hold with another secret, and with none at all nothing holds", async () => {
      const incoming = await signed();
      fc.assert(
        fc.property(fc.string({ minLength: 1 }), (secret) => {
          expect(refusal(incoming, secret)).to.be.a("string");
        }),
      );
      expect(refusal(incoming, `${SECRET} `)).to.be.a("string");
      for (const secret of ["", " ", "\t\n"])
        expect(refusal(incoming, secret)).to.equal("the app has no webhook secret");
    });

    it("does not hold when a header of it is missing, empty or there twice", async () => {
      const incoming = await signed();
      for (const header of headers) {
        const name = header.toLowerCase();
        const value = String(incoming.headers[name]);
        const without = { ...incoming, headers: { ...incoming.headers, [name]: undefined } };
        // Gitea's name stands in for Forgejo's, and holds for itself.
        if (header !== "X-Forgejo-Signature") expect(refusal(without)).to.include("missing");
        expect(refusal(withHeaders(incoming, { [name]: "" }))).to.match(/ is (?:missing|empty)/);
        expect(refusal(withHeaders(incoming, { [name]: `${value}, ${value}` }))).to.be.a("string");
        const twice = { ...incoming, headers: { ...incoming.headers, [name]: [value, value] } };
        expect(refusal(twice)).to.match(/more than once|must be one number/);
      }
    });
  });
}

for (const [whose, { unsigned, signed, headers }] of Object.entries(HEX_PROOFS)) {
  describe(`a signature in hexadecimal digits: ${whose}`, () => {
    const header = headers[0]!;
    const given = async (value: string): Promise<string | undefined> =>
      refusal(withHeaders(await signed(unsigned), { [header.toLowerCase()]: value }));
    const prefix = header.includes("Hub") || header === "X-Signature-256" ? "sha256=" : "";
    const digits = async (): Promise<string> => (await sha256Of(unsigned.body)).slice("sha256=".length);

    it("must be of SHA-256 and no other algorithm, and say so where the host does", async () => {
      expect(await given(`${prefix}${await digits()}`)).to.equal(undefined);
      expect(await given(`sha1=${"0".repeat(40)}`)).to.include('begins with "sha1=", not with');
      expect(await given(`sha512=${"0".repeat(128)}`)).to.include('begins with "sha512=", not with');
      expect(await given(`SHA256=${await digits()}`)).to.include('begins with "SHA256=", not with');
      expect(await given(`${prefix === "" ? "sha256=" : ""}${await digits()}`)).to.include("begins with");
    });

    it("must have 64 digits in lower case", async () => {
      const right = await digits();
      expect(await given(`${prefix}${right.slice(1)}`)).to.include("63 digits, not 64");
      expect(await given(`${prefix}${right}0`)).to.include("65 digits, not 64");
      expect(await given(`${prefix}${right.toUpperCase()}`)).to.include("lower-case");
      expect(await given(`${prefix}${right.slice(0, -1)}g`)).to.include("lower-case");
      expect(await given(`${prefix}${"0".repeat(64)}`)).to.include("does not match");
    });

    it("must have a value and one only", async () => {
      expect(await given(prefix)).to.include("is empty");
      expect(await given(`${prefix}${await digits()},${prefix}${await digits()}`)).to.include(
        "more than once",
      );
    });
  });
}

describe("a signature of SHA-1", () => {
  it("is nothing, though GitHub and Gitea send it beside the other", () => {
    const sha1 = { "x-hub-signature": `sha1=${"0".repeat(40)}` };
    expect(refusal(withHeaders(githubPush(MAIN, COMMIT), sha1))).to.equal("X-Hub-Signature-256 is missing");
    expect(refusal(withHeaders(giteaPush(MAIN, COMMIT), sha1))).to.equal("X-Gitea-Signature is missing");
    expect(refusal(withHeaders(ANY, sha1))).to.include("missing");
  });
});

describe("published signatures", () => {
  const body = (text: string): Buffer => Buffer.from(text);

  it("hold: GitHub's manual", () => {
    const signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    const headers = { "x-github-event": "push", "x-hub-signature-256": signature };
    expect(refusal({ headers, body: body("Hello, World!") }, "It's a Secret to Everybody")).to.equal(
      undefined,
    );
    expect(refusal({ headers, body: body("Hello, world!") }, "It's a Secret to Everybody")).to.be.a("string");
  });

  it("hold: Bitbucket's manual", () => {
    const signature = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9";
    const headers = { "x-event-key": "repo:push", "x-hub-signature": signature };
    expect(refusal({ headers, body: body("Hello World!") }, "It's a Secret to Everybody")).to.equal(
      undefined,
    );
  });

  it("hold: RFC 4231, test case 2, as Gitea writes it", () => {
    const signature = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    const headers = { "x-gitea-event": "push", "x-gitea-signature": signature };
    expect(refusal({ headers, body: body("what do ya want for nothing?") }, "Jefe")).to.equal(undefined);
  });

  it("hold: Standard Webhooks' own", () => {
    const headers = {
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    };
    const incoming = { headers, body: body('{"test": 2432232314}') };
    const then = 1_614_265_330_000;
    for (const secret of ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
      expect(refusal(incoming, secret, then)).to.equal(undefined);
  });
});

describe("GitLab's secret token", () => {
  const given = (token: string): string | undefined =>
    refusal(withHeaders(gitlabPush(MAIN, COMMIT), { "x-gitlab-token": token }));

  it("must be the secret, to the last bit", () => {
    expect(given(SECRET)).to.equal(undefined);
    const bytes = Buffer.from(SECRET, "latin1");
    for (let bit = 0; bit < bytes.length * 8; bit++)
      expect(given(flipped(bytes, bit).toString("latin1"))).to.be.a("string");
    expect(given(SECRET.slice(1))).to.equal("X-Gitlab-Token is not the app's secret");
    expect(given(SECRET.toUpperCase())).to.equal("X-Gitlab-Token is not the app's secret");
    expect(given("")).to.equal("X-Gitlab-Token is empty");
    expect(given(`${SECRET}, ${SECRET}`)).to.equal("X-Gitlab-Token appears more than once");
    expect(refusal(gitlabPush(MAIN, COMMIT))).to.equal("X-Gitlab-Token and webhook-signature are missing");
  });

  it("is nothing without a secret", () => {
    for (const secret of ["", " "]) {
      const incoming = withHeaders(gitlabPush(MAIN, COMMIT), { "x-gitlab-token": secret });
      expect(refusal(incoming, secret)).to.equal("the app has no webhook secret");
    }
  });

  it("does not make good a signature that does not hold, and is not needed beside one that does", () => {
    const signed = gitlabSigned(gitlabPush(MAIN, COMMIT));
    expect(refusal(withHeaders(signed, { "x-gitlab-token": "another" }))).to.equal(undefined);
    const wrong = gitlabSigned(gitlabPush(MAIN, COMMIT), "whsec_YW5vdGhlciBrZXkgZm9yIHRoaXM=");
    expect(refusal(withHeaders(wrong, { "x-gitlab-token": SECRET }))).to.include("does not match");
  });

  it("is asked of GitLab alone", () => {
    expect(refusal(withHeaders(githubPush(MAIN, COMMIT), { "x-gitlab-token": SECRET }))).to.include(
      "missing",
    );
    expect(refusal(withHeaders(ANY, { "x-gitlab-token": SECRET }))).to.include("missing");
  });
});

describe("a signature by Standard Webhooks", () => {
  const signed = standardSigned(ANY);
  const minutes = (count: number): number => count * 60_000;

  it("holds for five minutes, and no longer, on both sides", () => {
    for (const late of [0, minutes(5), -minutes(5)])
      expect(refusal(signed, SECRET, NOW + late)).to.equal(undefined);
    expect(refusal(signed, SECRET, NOW + minutes(5) + 1000)).to.include("is 301 s old");
    expect(refusal(signed, SECRET, NOW - minutes(5) - 1)).to.include("is 301 s ahead");
  });

  it("is bound to its moment: another one cannot be given to it", () => {
    for (const moment of [String(NOW / 1000 + 1), `0${NOW_SECONDS}`])
      expect(refusal(withHeaders(signed, { "webhook-timestamp": moment }))).to.include("does not match");
    for (const moment of [`+${NOW_SECONDS}`, `${NOW_SECONDS}.0`, "NaN", " ", "9".repeat(30), "1e9"])
      expect(refusal(withHeaders(signed, { "webhook-timestamp": moment }))).to.include("must be one number");
  });

  it("is bound to its id", () => {
    expect(refusal(withHeaders(signed, { "webhook-id": "msg_2027" }))).to.include("does not match");
    for (const id of ["msg 2026", "x".repeat(201), "é"])
      expect(refusal(withHeaders(signed, { "webhook-id": id }))).to.include(
        "webhook-id appears more than once",
      );
  });

  it("may be one of several, while a secret is being changed", () => {
    const own = String(signed.headers["webhook-signature"]);
    const [other] = Object.values(standardHeaders(ANY.body, "whsec_YW5vdGhlciBrZXkgZm9yIHRoaXM=")).slice(-1);
    for (const value of [`${other} ${own}`, `${own} ${other}`, `v1a,AAAA ${own}`, `v2,x ${own}`])
      expect(refusal(withHeaders(signed, { "webhook-signature": value }))).to.equal(undefined);
    expect(refusal(withHeaders(signed, { "webhook-signature": `${other} ${other}` }))).to.include(
      "does not match",
    );
  });

  it("is of version v1, whole, and in base64", () => {
    const own = String(signed.headers["webhook-signature"]).slice("v1,".length);
    const given = (value: string): string | undefined =>
      refusal(withHeaders(signed, { "webhook-signature": value }));
    for (const value of [own, `v2,${own}`, `v1a,${own}`, `V1,${own}`, "v1"])
      expect(given(value)).to.include("no signature of version v1");
    for (const value of ["v1,", `v1,${own.slice(4)}`, `v1,${own}=`, `v1,A${own}`, `v1,-${own.slice(1)}`])
      expect(given(value)).to.include("not 44 base64 characters");
    expect(given(`v1,${own}, v1,${own}`)).to.include("more than once");
  });

  it("takes a secret without the prefix as its text and as base64, as senders do", () => {
    const secret = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    for (const webhook of [new Webhook(secret), new Webhook(secret, { format: "raw" })]) {
      const signature = webhook.sign("msg_2026", new Date(NOW), ANY.body);
      expect(refusal(withHeaders(signed, { "webhook-signature": signature }), secret)).to.equal(undefined);
    }
    const words = "no base64 at all";
    const signature = new Webhook(words, { format: "raw" }).sign("msg_2026", new Date(NOW), ANY.body);
    expect(refusal(withHeaders(signed, { "webhook-signature": signature }), words)).to.equal(undefined);
  });

  it("is refused when the secret's base64 is none", () => {
    for (const secret of ["whsec_", "whsec_a", "whsec_no base64"])
      expect(refusal(signed, secret)).to.equal("the app's webhook secret has no base64 after whsec_");
  });
});

describe("several proofs in one delivery of another sender", () => {
  it("must all hold", async () => {
    const all = standardSigned(await otherSigned(await githubSigned(ANY)));
    expect(refusal(all)).to.equal(undefined);
    for (const header of ["x-hub-signature-256", "x-signature-256", "webhook-signature"]) {
      const wrong = header === "webhook-signature" ? `v1,${"A".repeat(43)}=` : `sha256=${"0".repeat(64)}`;
      expect(refusal(withHeaders(all, { [header]: wrong }))).to.match(/does not match/);
    }
  });
});

describe("a form of Gitea", () => {
  it("is signed by its payload, as Gitea does, and what is read is what was signed", async () => {
    const incoming = asForm(await giteaSigned(giteaPush(MAIN, COMMIT)));
    expect(refusal(incoming)).to.equal(undefined);
    const host = forgeOf(incoming.headers);
    const reading = host.read(incoming);
    for (let bit = 0; bit < incoming.body.length * 8; bit++) {
      const changed = { ...incoming, body: flipped(incoming.body, bit) };
      // A digit of %7B in lower case is the same payload.
      if (host.refusal(changed, SECRET, NOW) === undefined) expect(host.read(changed)).to.deep.equal(reading);
    }
    const other = asForm(giteaPush(MAIN, COMMIT.replace("5", "6")));
    expect(refusal({ ...incoming, body: other.body })).to.include("does not match");
    const twice = Buffer.from(`${incoming.body.toString()}&payload=x`);
    expect(refusal({ ...incoming, body: twice })).to.include("must have exactly one field");
    expect(refusal({ ...incoming, body: Buffer.from("") }, "")).to.be.a("string");
  });

  it("is not proved by a signature of the form itself", async () => {
    const form = asForm(giteaPush(MAIN, COMMIT));
    const signature = (await sign(SECRET, form.body.toString())).slice("sha256=".length);
    expect(refusal(withHeaders(form, { "x-gitea-signature": signature }))).to.include("does not match");
  });
});

describe("Forgejo's signature", () => {
  it("is not made good by Gitea's beside it", async () => {
    const incoming = await forgejoSigned(giteaPush(MAIN, COMMIT));
    const wrong = withHeaders(incoming, { "x-forgejo-signature": "0".repeat(64) });
    expect(refusal(wrong)).to.equal(
      "X-Forgejo-Signature does not match: the secret differs, or the body was changed",
    );
  });
});

function flipped(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  const at = Math.floor(bit / 8);
  copy[at] = copy[at]! ^ (1 << (bit % 8));
  return copy;
}
