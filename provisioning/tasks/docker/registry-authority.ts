import { fileTask } from "../file-task.js";

/** Docker takes images from the registry that Sluice pushes to. It looks for the file at each request, and needs no restart. */
export const registryAuthority = fileTask({
  name: "the registry's authority",
  mode: "644",
  files: ({ swarm }) =>
    swarm?.registry.authority === undefined
      ? []
      : [
          {
            path: `/etc/docker/certs.d/${swarm.registry.address}/ca.crt`,
            text: swarm.registry.authority,
          },
        ],
});
