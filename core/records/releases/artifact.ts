import { z } from "zod";

/** What a build has produced, as a release's record keeps it. */
export const artifactSchema = z.object({
  /** A folder of its own, where `Home.tree` says. */
  kind: z.literal("tree"),
  /** Where its programs find it: scripts in it may name that folder. Undefined (earlier versions): where it lies. */
  at: z.string().optional(),
  /** `bin` of the Node.js it runs with, when that is not the machine's own. */
  nodeFolder: z.string().optional(),
  /** The image that was made of it (`HOST:PORT/APP@sha256:…`), for engines with several hosts. */
  image: z.string().optional(),
});

export type Artifact = z.infer<typeof artifactSchema>;
