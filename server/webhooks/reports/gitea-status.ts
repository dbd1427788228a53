import type { CommitReport } from "./commit-report.js";
import { pathInUrl, postJson, type ForgeRequest } from "./forge-request.js";
import { shortened } from "./shortened.js";

/** Nothing is said of a limit there; longer than this nobody reads. */
const MOST_CHARACTERS = 255;

/** `POST /repos/{owner}/{repo}/statuses/{sha}`; the states are called as ours are. */
export function giteaStatus(report: CommitReport): ForgeRequest {
  const { apiUrl, repositoryPath, token, commit, state, targetUrl } = report;
  return postJson(
    `${apiUrl}/repos/${pathInUrl(repositoryPath)}/statuses/${commit}`,
    { Authorization: `token ${token}` },
    {
      state,
      target_url: targetUrl,
      description: shortened(report.description, MOST_CHARACTERS),
      context: shortened(report.context, MOST_CHARACTERS),
    },
  );
}
