import type { User } from "../exec.js";

/** A folder of this machine that a program in a sandbox sees. */
export interface Mount {
  readonly from: string;
  /** Where the program sees it; undefined: at the same path. */
  readonly to?: string;
  readonly access: "read" | "write";
}

/** What a program of an app sees of the machine and may change there. Whatever is not named here does not exist for it. */
export interface SandboxPolicy {
  /** Whom it runs as; undefined: whoever runs Sluice. */
  readonly user?: User;
  /** What the machine is called inside. */
  readonly hostname: string;
  /** The folder it works in. */
  readonly work: {
    readonly folder: string;
    /** Where the program sees it. */
    readonly at: string;
    /** `lost`: it writes into a layer in memory that ends with it, and the folder itself never changes. */
    readonly changes: "kept" | "lost";
  };
  readonly mounts: readonly Mount[];
  /** Of /tmp and of /dev/shm each, and of the layer of changes. They lie in memory and count as the program's. */
  readonly scratchMegabytes: number;
  /** The file of a network namespace (ip-netns(8)); undefined: the machine's network. */
  readonly network?: string;
}
