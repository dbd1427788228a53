import type { Actor } from "../../core/records/events/actor.js";
import type { Log } from "../../core/log.js";
import type { Home } from "../../core/home.js";
import { AppError } from "../../core/errors/app-error.js";
import type { Settings } from "../../core/settings/settings.js";
import { Repository } from "../git/repository.js";
import { refuseFullDisk } from "../pipeline/disk-space.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import type { AppRemovals } from "../apps/app-removals.js";
import type { HookChannel } from "./hook-channel.js";
import { Push } from "./push.js";
import { PushLimit } from "./push-limit.js";
import { sweepQuarantines } from "./quarantine.js";
import { receivePackEnvironment } from "./receive-pack-environment.js";

export interface PushDeskOptions {
  readonly home: Home;
  readonly settings: Settings;
  readonly hooksFolder: string;
  readonly hooks: HookChannel;
  readonly pipeline: Pipeline;
  readonly onBranchDeleted: (app: string, branch: string, actor: Actor) => Promise<void>;
  readonly removals: AppRemovals;
  readonly log: Log;
}

/** A push, as the transport it comes over sees it. */
export interface OpenPush {
  /** Of git. */
  readonly env: Record<string, string>;
  /** What goes to git and comes from it passes through this. */
  readonly limit: PushLimit;
  interrupt(): void;
  end(): Promise<void>;
}

/** Where pushes are registered, however they come in. */
export class PushDesk {
  /** A push's token → its app. */
  private readonly underWay = new Map<string, string>();
  private readonly ends = new Set<Promise<void>>();

  constructor(private readonly options: PushDeskOptions) {}

  /** Opens a push of `app` by somebody who may. The caller runs git with `env`, and calls `end` when git has ended. */
  open(app: string, actor: Actor): OpenPush {
    const { home, settings, hooksFolder, hooks, pipeline, onBranchDeleted, removals, log } = this.options;
    const gitHome = home.gitHome();
    const push = new Push({
      app,
      actor,
      repositoryPath: home.repository(app),
      gitHome,
      settings,
      pipeline,
      onBranchDeleted,
      removals,
      log,
    });
    const { token, env: hookEnv } = hooks.register(push);
    this.underWay.set(token, app);
    const end = async (): Promise<void> => {
      await push.end();
      hooks.forget(token);
      this.underWay.delete(token);
      if (![...this.underWay.values()].includes(app)) await sweepQuarantines(home.repository(app));
    };
    return {
      env: { ...receivePackEnvironment({ gitHome, hooksFolder, settings, hookEnv }), REMOTE_USER: actor.by },
      limit: new PushLimit(settings.limits.pushMegabytes),
      interrupt: () => push.interrupt(),
      end: () => this.track(end()),
    };
  }

  /** A bare repository for the app's pushes; the first push makes it. Throws `disk-full`. */
  async repositoryForPush(app: string): Promise<string> {
    await refuseFullDisk(this.options);
    const path = this.options.home.repository(app);
    await Repository.ensure(path, this.options.home.gitHome());
    return path;
  }

  /** For fetching and cloning. Throws `app-unknown`. */
  async repositoryForFetch(app: string, known: readonly string[]): Promise<string> {
    if (!known.includes(app)) throw new AppError("app-unknown", { app, known });
    return this.options.home.repository(app);
  }

  /** Resolves when no push is left to end. */
  async idle(): Promise<void> {
    await Promise.allSettled([...this.ends]);
  }

  private async track(end: Promise<void>): Promise<void> {
    this.ends.add(end);
    try {
      await end;
    } finally {
      this.ends.delete(end);
    }
  }
}
