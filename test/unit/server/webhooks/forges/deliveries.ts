import { sign } from "@octokit/webhooks-methods";
import { Webhook } from "standardwebhooks";
import type { Incoming } from "../../../../../server/webhooks/forges/forge.js";

/** Made up again for these tests. */
export const SECRET = "whsec_c2x1aWNlIHRlc3RzIHNpZ24gd2l0aCB0aGlzIGtleSE=";
export const COMMIT = "5e2ab9f0c1d34e7786a0b1c2d3e4f5a697b8c9d0";
export const OTHER_COMMIT = "a3c1f00d5b6e47d8929a0b1c2d3e4f5061728394";
export const ZEROS = "0".repeat(40);
/** A moment in ms since 1970, and the same in the seconds of a header. */
export const NOW = Date.UTC(2026, 0, 15, 12);
export const NOW_SECONDS = String(NOW / 1000);

export type Headers = Record<string, string>;

export function delivery(headers: Headers, payload: unknown): Incoming {
  return {
    headers: { "content-type": "application/json", ...headers },
    body: Buffer.from(JSON.stringify(payload)),
  };
}

/** The same payload as a form, as a browser would send it. */
export function asForm({ headers, body }: Incoming): Incoming {
  return {
    headers: { ...headers, "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
    body: Buffer.from(new URLSearchParams({ payload: body.toString() }).toString()),
  };
}

export function withHeaders({ headers, body }: Incoming, more: Headers): Incoming {
  return { headers: { ...headers, ...more }, body };
}

/** `sha256=HEX`, by a library that is not ours. */
export async function sha256Of(body: Buffer | string, secret = SECRET): Promise<string> {
  return sign(secret, body.toString());
}

/** The three headers of Standard Webhooks, by its own library. */
export function standardHeaders(body: Buffer, secret = SECRET, now = NOW): Headers {
  return {
    "webhook-id": "msg_2026",
    "webhook-timestamp": String(Math.floor(now / 1000)),
    "webhook-signature": new Webhook(secret).sign("msg_2026", new Date(now), body),
  };
}

export async function githubSigned(incoming: Incoming, secret = SECRET): Promise<Incoming> {
  return withHeaders(incoming, { "x-hub-signature-256": await sha256Of(incoming.body, secret) });
}

export async function bitbucketSigned(incoming: Incoming, secret = SECRET): Promise<Incoming> {
  return withHeaders(incoming, { "x-hub-signature": await sha256Of(incoming.body, secret) });
}

/** Signs the payload, as Gitea does before it makes a form of it, and sends the headers that Gitea sends. */
export async function giteaSigned(incoming: Incoming, secret = SECRET): Promise<Incoming> {
  const signature = await sha256Of(incoming.body, secret);
  return withHeaders(incoming, {
    "x-gitea-signature": signature.slice("sha256=".length),
    "x-gogs-signature": signature.slice("sha256=".length),
    "x-hub-signature-256": signature,
  });
}

export function gitlabSigned(incoming: Incoming, secret = SECRET): Incoming {
  return withHeaders(incoming, standardHeaders(incoming.body, secret));
}

const person = { id: 7, name: "Mira", username: "mira", email: "mira@example.org" };
const commits = [
  { id: COMMIT, message: "A word", added: ["a.txt"], modified: [], removed: [], author: person },
];

export function githubDelivery(event: string, payload: object): Incoming {
  return delivery(
    { "x-github-event": event, "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958" },
    payload,
  );
}

export function githubPush(ref: string, after: string): Incoming {
  return githubDelivery("push", { ref, before: OTHER_COMMIT, after, deleted: after === ZEROS, commits });
}

export function gitlabDelivery(event: string, payload: object): Incoming {
  const id = "f5e5f430-f57b-4e6e-9fac-d9128cd7232f";
  return delivery(
    { "x-gitlab-event": event, "x-gitlab-instance": "https://gitlab.example.org", "idempotency-key": id },
    payload,
  );
}

export function gitlabPush(ref: string, after: string): Incoming {
  const isTag = ref.startsWith("refs/tags/");
  return gitlabDelivery(isTag ? "Tag Push Hook" : "Push Hook", {
    object_kind: isTag ? "tag_push" : "push",
    event_name: isTag ? "tag_push" : "push",
    before: OTHER_COMMIT,
    after,
    ref,
    checkout_sha: after === ZEROS ? null : after,
    user_id: person.id,
    project: { id: 3, path_with_namespace: "shop/web", default_branch: "main" },
    commits: after === ZEROS ? [] : commits,
    total_commits_count: after === ZEROS ? 0 : 1,
  });
}

export function giteaDelivery(event: string, payload: object): Incoming {
  const id = "f6266f16-1bf3-46a5-9ea4-602e06ead473";
  return delivery(
    {
      "x-gitea-event": event,
      "x-gitea-event-type": event,
      "x-gitea-delivery": id,
      "x-gogs-event": event,
      "x-github-event": event,
      "x-github-delivery": id,
    },
    payload,
  );
}

export function giteaPush(ref: string, after: string): Incoming {
  const repository = { id: 5, full_name: "shop/web", default_branch: "main" };
  return giteaDelivery("push", { ref, before: OTHER_COMMIT, after, commits, repository, pusher: person });
}

/** Forgejo sends all that Gitea sends and its own names beside. */
export function asForgejo(incoming: Incoming): Incoming {
  const added = Object.entries(incoming.headers).flatMap(([name, value]) =>
    name.startsWith("x-gitea-") && typeof value === "string"
      ? [[name.replace("x-gitea-", "x-forgejo-"), value] as const]
      : [],
  );
  return withHeaders(incoming, Object.fromEntries(added));
}

export interface BitbucketRef {
  readonly type: string;
  readonly name: string;
  readonly hash?: string;
}

export interface BitbucketChange {
  readonly new: BitbucketRef | null;
  readonly old: BitbucketRef | null;
}

export function bitbucketDelivery(event: string, payload: object): Incoming {
  return delivery(
    {
      "x-event-key": event,
      "x-request-uuid": "0b8f4f3c-6d0e-4c3f-9a39-3b1f5d8a7f10",
      "x-attempt-number": "1",
    },
    payload,
  );
}

export function bitbucketPush(...changes: readonly BitbucketChange[]): Incoming {
  const shown = (ref: BitbucketRef | null): object | null =>
    ref && { type: ref.type, name: ref.name, target: { type: "commit", hash: ref.hash ?? OTHER_COMMIT } };
  return bitbucketDelivery("repo:push", {
    actor: person,
    repository: { full_name: "shop/web", scm: "git" },
    push: {
      changes: changes.map((change) => ({
        new: shown(change.new),
        old: shown(change.old),
        created: change.old === null,
        closed: change.new === null,
        forced: false,
        commits,
      })),
    },
  });
}
