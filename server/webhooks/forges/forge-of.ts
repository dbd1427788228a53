import type { IncomingHttpHeaders } from "node:http";
import { bitbucket } from "./bitbucket.js";
import { generic } from "./generic.js";
import type { Forge } from "./forge.js";
import { gitea } from "./gitea.js";
import { github } from "./github.js";
import { gitlab } from "./gitlab.js";

/** Never undefined: what no other recognizes is `generic`. Gitea before GitHub: Gitea sends X-GitHub-Event too. */
export function forgeOf(headers: IncomingHttpHeaders): Forge {
  return [gitea, github, gitlab, bitbucket].find((host) => host.recognizes(headers)) ?? generic;
}
