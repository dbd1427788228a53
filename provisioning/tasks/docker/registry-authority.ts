import { fileTask } from "../file-task.js";

/** Docker takes images from Sluice's registry. It looks for the file at each request, and needs no restart. */
export const registryAuthority = fileTask({
  name: "the registry's authority",
  mode: "644",
  files: ({ swarm }) =>
    swarm === undefined
      ? []
      : [
          {
            path: `/etc/docker/certs.d/${swarm.registry.address}/ca.crt`,
            text: swarm.registry.authority,
          },
        ],
});
