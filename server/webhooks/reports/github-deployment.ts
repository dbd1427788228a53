import { z } from "zod";
import { CANARY, PRODUCTION } from "../../../core/records/routes/route-table.js";
import type { CommitReport } from "./commit-report.js";
import { githubHeaders } from "./github-headers.js";
import { pathInUrl, postJson, type ForgeRequest } from "./forge-request.js";
import { shortened } from "./shortened.js";

const DESCRIPTION_CHARACTERS = 140;
const STATES = { pending: "in_progress", success: "success", failure: "failure" } as const;

const answerSchema = z.object({ id: z.number().int().positive() });

/**
 * `POST /repos/{owner}/{repo}/deployments`: of this commit and no other (no merge), whatever its statuses are: ours is
 * pending.
 */
export function githubDeployment(report: CommitReport): ForgeRequest {
  const { token, commit, environment } = report;
  return postJson(deploymentsUrl(report), githubHeaders(token), {
    ref: commit,
    environment,
    description: shortened(report.description, DESCRIPTION_CHARACTERS),
    auto_merge: false,
    required_contexts: [],
    production_environment: environment === PRODUCTION,
    transient_environment: environment !== PRODUCTION && environment !== CANARY,
  });
}

/** The id in the answer to that; undefined when GitHub answered something else. */
export function deploymentIdOf(answer: unknown): number | undefined {
  return answerSchema.safeParse(answer).data?.id;
}

/** `POST /repos/{owner}/{repo}/deployments/{id}/statuses`. */
export function githubDeploymentStatus(report: CommitReport, deploymentId: number): ForgeRequest {
  const { token, state, targetUrl, environmentUrl } = report;
  return postJson(`${deploymentsUrl(report)}/${deploymentId}/statuses`, githubHeaders(token), {
    state: STATES[state],
    description: shortened(report.description, DESCRIPTION_CHARACTERS),
    log_url: targetUrl,
    environment_url: state === "success" ? environmentUrl : undefined,
  });
}

function deploymentsUrl({ apiUrl, repositoryPath }: CommitReport): string {
  return `${apiUrl}/repos/${pathInUrl(repositoryPath)}/deployments`;
}
