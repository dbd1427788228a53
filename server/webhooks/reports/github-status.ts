import type { CommitReport } from "./commit-report.js";
import { githubHeaders } from "./github-headers.js";
import { pathInUrl, postJson, type ForgeRequest } from "./forge-request.js";
import { shortened } from "./shortened.js";

const DESCRIPTION_CHARACTERS = 140;
const CONTEXT_CHARACTERS = 255;

/** `POST /repos/{owner}/{repo}/statuses/{sha}`; the states are called as ours are. */
export function githubStatus(report: CommitReport): ForgeRequest {
  const { apiUrl, repositoryPath, token, commit, state, targetUrl } = report;
  return postJson(`${apiUrl}/repos/${pathInUrl(repositoryPath)}/statuses/${commit}`, githubHeaders(token), {
    state,
    target_url: targetUrl,
    description: shortened(report.description, DESCRIPTION_CHARACTERS),
    context: shortened(report.context, CONTEXT_CHARACTERS),
  });
}
