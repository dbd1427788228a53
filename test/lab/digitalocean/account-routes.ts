import { createHash } from "node:crypto";
import { z } from "zod";
import type { Cloud } from "./cloud.js";
import type { ApiCall } from "./api-call.js";
import { images, regions, sizes } from "./offers.js";
import { notFound, page, unprocessable, type Reply } from "./reply.js";
import { keyJson, snapshotJson } from "./json.js";

const newKey = z.object({ name: z.string(), public_key: z.string() });

export const accountRoutes = {
  "GET /v2/account": (_call: ApiCall, cloud: Cloud): Reply => {
    const account = {
      ...{ droplet_limit: cloud.dropletLimit, floating_ip_limit: 5, email: "owner@example.com" },
      ...{ uuid: "b6fr89dbf6d9156cace5f3c78dc9851d957381ef", email_verified: true },
      ...{ status: "active", status_message: " " },
    };
    return { status: 200, body: { account } };
  },
  "GET /v2/account/keys": (call: ApiCall, cloud: Cloud): Reply =>
    page(call, "ssh_keys", [...cloud.keys.values()].map(keyJson)),
  "POST /v2/account/keys": ({ body }: ApiCall, cloud: Cloud): Reply => {
    const { name, public_key: publicKey } = newKey.parse(body);
    const [, bytes = ""] = publicKey.split(" ");
    const digest = createHash("md5").update(Buffer.from(bytes, "base64")).digest("hex");
    const fingerprint = digest.match(/../g)?.join(":") ?? "";
    if ([...cloud.keys.values()].some((key) => key.fingerprint === fingerprint))
      return unprocessable("SSH Key is already in use on your account");
    const key = { id: cloud.nextId(), name, publicKey, fingerprint };
    cloud.keys.set(key.id, key);
    return { status: 201, body: { ssh_key: keyJson(key) } };
  },
  "GET /v2/tags/{tag_id}": ({ params }: ApiCall, cloud: Cloud): Reply => {
    const name = params.tag_id ?? "";
    return cloud.tags.has(name) ? { status: 200, body: { tag: { name } } } : notFound();
  },
  "POST /v2/tags": ({ body }: ApiCall, cloud: Cloud): Reply => {
    const { name } = z.object({ name: z.string() }).parse(body);
    cloud.tags.add(name);
    return { status: 201, body: { tag: { name } } };
  },
  "DELETE /v2/tags/{tag_id}": ({ params }: ApiCall, cloud: Cloud): Reply =>
    cloud.tags.delete(params.tag_id ?? "") ? { status: 204 } : notFound(),
  "GET /v2/sizes": (call: ApiCall): Reply => page(call, "sizes", sizes),
  "GET /v2/regions": (call: ApiCall): Reply => page(call, "regions", regions),
  "GET /v2/images": (call: ApiCall): Reply => page(call, "images", images),
  "GET /v2/snapshots": (call: ApiCall, cloud: Cloud): Reply =>
    page(call, "snapshots", [...cloud.snapshots.values()].map(snapshotJson)),
  "DELETE /v2/snapshots/{snapshot_id}": ({ params }: ApiCall, cloud: Cloud): Reply => {
    const snapshot = cloud.snapshots.get(Number(params.snapshot_id));
    if (snapshot === undefined) return notFound();
    cloud.deleteSnapshot(snapshot);
    return { status: 204 };
  },
};
