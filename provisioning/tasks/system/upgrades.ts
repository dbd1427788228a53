import { fileTask } from "../file-task.js";

/** Security updates are installed every day (apt.conf(5)). Nothing restarts the machine. */
export const upgrades = fileTask({
  name: "security updates",
  mode: "644",
  files: () => [
    {
      path: "/etc/apt/apt.conf.d/52sluice",
      text: `// Written by Sluice; changes made by hand are lost.
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
Unattended-Upgrade::Automatic-Reboot "false";
`,
    },
  ],
  after: "systemctl enable --quiet --now apt-daily.timer apt-daily-upgrade.timer",
});
