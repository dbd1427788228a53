export const ROLES = ["server", "proxy", "monitor"] as const;
export type Role = (typeof ROLES)[number];
