/**
 * What apps do not reach: IPv4 networks that are somebody's own, those of Sluice's sandboxes, and those at which clouds answer
 * a machine's questions about itself.
 */
export const PRIVATE_NETWORKS: readonly string[] = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"],
  ...["172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3"],
];
