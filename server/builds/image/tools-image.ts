import { baseLayer } from "./base-image.js";
import { dockerArchitecture, makeImage } from "./image.js";
import { pushImage } from "./registry/push-image.js";
import { SHARED, type ImageWork } from "./release-image.js";
import { nodeLayer } from "./runtime-layer.js";

/** No app has such a name. */
export const TOOLS = "sluice/tools";
/** The only one that is kept. */
export const TOOLS_NAME = "current";
const ROOT = { uid: 0, gid: 0 };

/**
 * An image for what Sluice itself runs on hosts: the plain base and this machine's Node.js, layers that most releases have
 * too. Returns by which name hosts fetch it. Can be called again: then hardly anything is sent.
 */
export async function publishTools(work: ImageWork, tag: string, signal: AbortSignal): Promise<string> {
  const base = await baseLayer(work, "plain", signal);
  const layers = [base, await nodeLayer(work, { kind: "tree" }, signal)];
  const architecture = dockerArchitecture(process.arch);
  const image = makeImage(layers, { user: ROOT, workingFolder: "/", architecture });
  const shared = { repository: SHARED, digests: new Set(layers.map(({ digest }) => digest)) };
  await pushImage(work.registry, image, { repository: TOOLS, tag, shared }, signal);
  return `${work.registry.place}/${TOOLS}@${image.digest}`;
}
