import { bitbucketStatus } from "./bitbucket-status.js";
import type { CommitReport } from "./commit-report.js";
import { giteaStatus } from "./gitea-status.js";
import { deploymentIdOf, githubDeployment, githubDeploymentStatus } from "./github-deployment.js";
import { githubStatus } from "./github-status.js";
import { gitlabStatus } from "./gitlab-status.js";
import type { ForgeRequest } from "./forge-request.js";

export interface ReportStep {
  readonly request: ForgeRequest;
  /** What is to be sent next, made of the JSON that this request was answered with; undefined: nothing. */
  readonly next?: (answer: unknown) => ForgeRequest | undefined;
}

/**
 * What tells the host, in order; none for a `generic` one. GitHub gets a deployment beside the commit's status: it is made
 * with the first report of a release, and its id (`deploymentIdOf` of that answer) belongs into the later ones.
 */
export function reportRequests(report: CommitReport, deploymentId?: number): ReportStep[] {
  switch (report.host) {
    case "github":
      return [{ request: githubStatus(report) }, deploymentStep(report, deploymentId)];
    case "gitlab":
      return [{ request: gitlabStatus(report) }];
    case "gitea":
      return [{ request: giteaStatus(report) }];
    case "bitbucket":
      return [{ request: bitbucketStatus(report) }];
    case "generic":
      return [];
  }
}

function deploymentStep(report: CommitReport, deploymentId: number | undefined): ReportStep {
  if (deploymentId !== undefined) return { request: githubDeploymentStatus(report, deploymentId) };
  return {
    request: githubDeployment(report),
    next: (answer) => {
      const id = deploymentIdOf(answer);
      return id === undefined ? undefined : githubDeploymentStatus(report, id);
    },
  };
}
