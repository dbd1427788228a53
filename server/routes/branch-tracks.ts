import type { AppKeys } from "../../core/records/apps/app-keys.js";
import type { Database } from "../../core/redis/database.js";
import { AppError } from "../../core/errors/app-error.js";
import { isPreview } from "../../core/records/routes/route-table.js";
import type { RouteTables } from "../../core/records/routes/route-tables.js";
import { keys } from "../../core/redis/keys.js";
import type { ReleaseStore } from "../releases/release-store.js";
import { fixedTrack, previewNames } from "./track-of-branch.js";

export const BRANCH_TRACK_KEYS: AppKeys = { own: [keys.branchTracks] };

/**
 * Which branch has which track. A preview's name is given to the branch that comes first, until that branch is deleted:
 * pushes, webhooks and deletions all find the same.
 */
export class BranchTracks {
  constructor(
    private readonly redis: Database,
    private readonly routes: RouteTables,
    private readonly releases: ReleaseStore,
  ) {}

  /** The branch's track, if it has one. */
  async find(app: string, branch: string): Promise<string | undefined> {
    const track = fixedTrack(branch) ?? (await this.redis.hget(keys.branchTracks(app), branch));
    return track ?? (await this.servingTracks(app)).get(branch);
  }

  /** The branch's track; from now on it has one. */
  async claim(app: string, branch: string): Promise<string> {
    const fixed = fixedTrack(branch);
    if (fixed !== undefined) return fixed;
    const serving = await this.servingTracks(app);
    const own = serving.get(branch);
    const taken = new Set([...serving].filter(([other]) => other !== branch).map(([, track]) => track));
    const names = own === undefined ? previewNames(branch).filter((name) => !taken.has(name)) : [own];
    const track = await this.redis.eval(CLAIM, 1, keys.branchTracks(app), branch, ...names);
    if (typeof track !== "string")
      throw new AppError("internal", { reason: `no name is free for ${branch}` });
    return track;
  }

  /** Branches that have a preview, or a name kept for one. */
  async branches(app: string): Promise<string[]> {
    const named = await this.redis.hkeys(keys.branchTracks(app));
    return [...new Set([...named, ...(await this.servingTracks(app)).keys()])];
  }

  /** The branch is gone, or was never taken: its name is free. */
  async free(app: string, branch: string): Promise<void> {
    await this.redis.hdel(keys.branchTracks(app), branch);
  }

  /** Branch → track of the previews there are: a release that was made before names were given has its own. */
  private async servingTracks(app: string): Promise<Map<string, string>> {
    const previews = Object.entries((await this.routes.read(app)).tracks).filter(([track]) =>
      isPreview(track),
    );
    const served = await Promise.all(
      previews.map(
        async ([track, number]) => [(await this.releases.find(app, number))?.branch, track] as const,
      ),
    );
    return new Map(served.flatMap(([branch, track]) => (branch === undefined ? [] : [[branch, track]])));
  }
}

/** KEYS: tracks hash. ARGV: branch, then names in the order of preference. Answer: the branch's track, or nil: none was free. */
const CLAIM = `
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known then return known end
local taken = {}
for _, track in ipairs(redis.call('HVALS', KEYS[1])) do taken[track] = true end
for i = 2, #ARGV do
  if not taken[ARGV[i]] then
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[i])
    return ARGV[i]
  end
end
return nil`;
