import type { Message } from "../../core/notify/message.js";
import { slackLine } from "../../core/notify/slack-line.js";
import type { AppEvent } from "../events/app-event.js";

const LONGEST_REASON = 300;

/** The message of Slack's incoming webhooks: one line. Pure. */
export function slackMessage(event: AppEvent): Message {
  const { app, branch = "", commit = "", url, reason = "", test } = event;
  return slackLine([
    `${test === true ? "[test] " : ""}${app}: ${whatHappened(event)}.`,
    ...(commit === "" ? [] : [`${url ?? "no web process"} (${branch}, ${commit.slice(0, 10)})`]),
    firstLine(reason),
  ]);
}

function whatHappened({ type, release = "", track = "", name = "" }: AppEvent): string {
  switch (type) {
    case "release.live":
      return `${release} is live on ${track}`;
    case "release.failed":
      return `${release} failed and is not live on ${track}`;
    case "release.rolled-back":
      return `${track} was rolled back to ${release}`;
    case "canary.live":
      return `${release} is live as the canary`;
    case "canary.promoted":
      return `the canary ${release} was promoted to production`;
    case "canary.aborted":
      return `the canary ${release} was aborted`;
    case "canary.failed":
      return `the canary ${release} does worse than production and waits for a decision`;
    case "certificate.failed":
      return `no certificate can be had for ${name}`;
  }
}

/** The first line says what happened; the rest is output. */
function firstLine(reason: string): string {
  const line = (reason.trim().split("\n")[0] ?? "").trim();
  return line.length > LONGEST_REASON ? `${line.slice(0, LONGEST_REASON)}…` : line;
}
