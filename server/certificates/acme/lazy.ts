/**
 * All that needs the libraries for ACME and certificates, which take some 10 MB: loaded where an authority is to be asked, and not
 * otherwise.
 */
export { Authority } from "./authority.js";
export { AuthorityAccounts } from "./authority-accounts.js";
export { renewalName, RenewalWindows } from "./renewal-windows.js";
