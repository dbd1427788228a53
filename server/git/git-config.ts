/**
 * Settings of git by its environment (GIT_CONFIG_COUNT, git-config(1)): they stand in no command line, which everybody on
 * the machine can read, and in no repository.
 */
export function gitConfig(settings: readonly (readonly [string, string])[]): Record<string, string> {
  const env: Record<string, string> = { GIT_CONFIG_COUNT: String(settings.length) };
  for (const [index, [key, value]] of settings.entries()) {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return env;
}

/** A larger blob is read piece by piece: git would hold one of up to 512 MB in memory. */
export const STREAMED_BLOBS = ["core.bigFileThreshold", "16m"] as const;
