/** A host's cleaner looks, waits and removes: an image that was fetched just now has its container after that. */
export const UNUSED_SECONDS = 5;

/**
 * For `node -e SCRIPT SOCKET REGISTRY LABEL UNUSED_SECONDS MOST_SECONDS KEPT…`: removes from a host's Docker every image of a
 * registry that is not kept, by its names `REPOSITORY@sha256:…`. Docker refuses that for images that a container has (409).
 * Before that, containers with the label that have ended: the Swarm leaves those of a job where they are. Prints
 * `removed IMAGES BYTES`.
 */
export const CLEANER_SCRIPT = `
const [socketPath, registry, label, unusedSeconds, mostSeconds, ...kept] = process.argv.slice(1);
const { request } = require("node:http");

function ask(method, path) {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method, path }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode, text }));
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

async function removeEndedCleaners() {
  const filters = encodeURIComponent(JSON.stringify({ label: [label], status: ["exited", "dead"] }));
  for (const { Id } of JSON.parse((await ask("GET", "/containers/json?all=1&filters=" + filters)).text))
    await ask("DELETE", "/containers/" + Id);
}

async function unkeptNames() {
  const isKept = new Set(kept);
  const images = JSON.parse((await ask("GET", "/images/json")).text);
  return images
    .flatMap(({ RepoDigests, RepoTags }) => [...(RepoDigests ?? []), ...(RepoTags ?? [])])
    .filter((name) => name.startsWith(registry + "/") && !name.includes("<none>"))
    .filter((name) => !isKept.has(name.slice(registry.length + 1)));
}

async function layersBytes() {
  return JSON.parse((await ask("GET", "/system/df")).text).LayersSize ?? 0;
}

async function clean() {
  await removeEndedCleaners();
  const names = await unkeptNames();
  if (names.length === 0) return { images: 0, bytes: 0 };
  await new Promise((resolve) => setTimeout(resolve, unusedSeconds * 1000));
  const before = await layersBytes();
  let images = 0;
  for (const name of names) if ((await ask("DELETE", "/images/" + name)).status === 200) images++;
  return { images, bytes: Math.max(0, before - (await layersBytes())) };
}

setTimeout(() => process.exit(1), mostSeconds * 1000).unref();
clean().then(({ images, bytes }) => console.log("removed", images, bytes));
`;
