import { z } from "zod";

const treeSchema = z.object({
  /** A folder of its own, where `Home.tree` says. */
  kind: z.literal("tree"),
  /** Where its programs find it: scripts in it may name that folder. Undefined (earlier versions): where it lies. */
  at: z.string().optional(),
  /** `bin` of the Node.js it runs with, when that is not the machine's own. */
  nodeFolder: z.string().optional(),
  /** The image that was made of it (`HOST:PORT/PREFIX/APP@sha256:…`), for engines with several hosts. */
  image: z.string().optional(),
});

/** What an image says about starting it (OCI Image Specification, "Image Configuration"). */
export const imageProgramSchema = z.object({
  entrypoint: z.array(z.string()),
  /** CMD: arguments of the entrypoint, or the whole command. */
  command: z.array(z.string()),
  /** As USER has it: a name or a number, perhaps with a group; empty for root. */
  user: z.string(),
  /** Where it listens, and what PORT says. */
  port: z.number().int(),
  /** Of HEALTHCHECK; undefined without one. */
  healthCheck: z.object({ intervalSeconds: z.number(), retries: z.number().int() }).optional(),
});

export type ImageProgram = z.infer<typeof imageProgramSchema>;

const dockerfileSchema = z.object({
  /** An image that the app's own Dockerfile describes. */
  kind: z.literal("dockerfile"),
  /** `HOST:PORT/PREFIX/APP@sha256:…` */
  image: z.string(),
  program: imageProgramSchema,
});

/** What a build has produced, as a release's record keeps it. */
export const artifactSchema = z.discriminatedUnion("kind", [treeSchema, dockerfileSchema]);

export type Artifact = z.infer<typeof artifactSchema>;

/** `bin` of the Node.js that it runs with, when that is not the machine's own, and no image's. */
export function nodeFolderOf(artifact: Artifact): string | undefined {
  return artifact.kind === "tree" ? artifact.nodeFolder : undefined;
}
