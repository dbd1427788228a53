import type { ForgeName } from "../forges/forge.js";

/** What became of a commit, for the forge it came from. */
export interface CommitReport {
  readonly host: ForgeName;
  /** With its version: `https://api.github.com`, `https://gitlab.example.org/api/v4`. */
  readonly apiUrl: string;
  /** `owner/name`; at GitLab perhaps with groups before. */
  readonly repositoryPath: string;
  readonly token: string;
  readonly commit: string;
  /** `pending`: the release is under way. */
  readonly state: "pending" | "success" | "failure";
  /** One sentence. Cut where a host wants it shorter. */
  readonly description: string;
  /** Where more is to be seen. */
  readonly targetUrl: string;
  /** Where the track is served; undefined when it is not (no `web` process). */
  readonly environmentUrl: string | undefined;
  /** Who says so: the same word replaces what it said before. */
  readonly context: string;
  /** The track: `production`, `canary` or a preview's name. */
  readonly environment: string;
}
