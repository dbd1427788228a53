import type { CommitReport } from "./commit-report.js";
import { postJson, type ForgeRequest } from "./forge-request.js";
import { shortened } from "./shortened.js";

const STATES = { pending: "running", success: "success", failure: "failed" } as const;
/** Of the description, the context and the URL. */
const MOST_CHARACTERS = 255;

/**
 * `POST /projects/{path, all of it encoded}/statuses/{sha}`. The same state a second time is answered with 400 ("Cannot
 * transition status"): it stands already.
 */
export function gitlabStatus(report: CommitReport): ForgeRequest {
  const { apiUrl, repositoryPath, token, commit, state, targetUrl } = report;
  return postJson(
    `${apiUrl}/projects/${encodeURIComponent(repositoryPath)}/statuses/${commit}`,
    { "PRIVATE-TOKEN": token },
    {
      state: STATES[state],
      // One that was cut would lead nowhere.
      target_url: targetUrl.length > MOST_CHARACTERS ? undefined : targetUrl,
      description: shortened(report.description, MOST_CHARACTERS),
      context: shortened(report.context, MOST_CHARACTERS),
    },
  );
}
