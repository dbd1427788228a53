import { expect } from "chai";
import { apiOf } from "../../../../../server/webhooks/reports/api-of.js";
import type { ForgeName } from "../../../../../server/webhooks/forges/forge.js";

/** A clone URL, the host it belongs to, where that has its API, and the repository there. */
const FOUND: readonly [string, ForgeName, string, string][] = [
  ["https://github.com/shop/web.git", "github", "https://api.github.com", "shop/web"],
  ["https://github.com/shop/web", "github", "https://api.github.com", "shop/web"],
  ["https://github.com/shop/web/", "github", "https://api.github.com", "shop/web"],
  ["https://GitHub.com/Shop/Web.js.git", "github", "https://api.github.com", "Shop/Web.js"],
  ["https://mira:word@github.com/shop/web.git", "github", "https://api.github.com", "shop/web"],
  ["git@github.com:shop/web.git", "github", "https://api.github.com", "shop/web"],
  ["git@github.com:/shop/web.git", "github", "https://api.github.com", "shop/web"],
  ["ssh://git@github.com/shop/web.git", "github", "https://api.github.com", "shop/web"],
  ["ssh://git@ssh.github.com:443/shop/web.git", "github", "https://api.github.com", "shop/web"],
  ["git://github.com/shop/web.git", "github", "https://api.github.com", "shop/web"],
  ["https://git.example.org/shop/web.git", "github", "https://git.example.org/api/v3", "shop/web"],
  ["https://git.example.org:8443/shop/web.git", "github", "https://git.example.org:8443/api/v3", "shop/web"],
  ["ssh://git@git.example.org:2222/shop/web", "github", "https://git.example.org/api/v3", "shop/web"],
  ["git@shop.ghe.com:shop/web.git", "github", "https://api.shop.ghe.com", "shop/web"],
  ["https://gitlab.com/shop/web.git", "gitlab", "https://gitlab.com/api/v4", "shop/web"],
  ["git@gitlab.com:shop/team/web.git", "gitlab", "https://gitlab.com/api/v4", "shop/team/web"],
  ["ssh://git@altssh.gitlab.com:443/shop/web", "gitlab", "https://gitlab.com/api/v4", "shop/web"],
  ["http://127.0.0.1:3000/shop/web.git", "gitlab", "http://127.0.0.1:3000/api/v4", "shop/web"],
  ["https://codeberg.org/shop/web.git", "gitea", "https://codeberg.org/api/v1", "shop/web"],
  ["https://example.org/git/shop/web.git", "gitea", "https://example.org/git/api/v1", "shop/web"],
  ["forgejo@example.org:shop/web.git", "gitea", "https://example.org/api/v1", "shop/web"],
  ["https://mira@bitbucket.org/shop/web.git", "bitbucket", "https://api.bitbucket.org/2.0", "shop/web"],
  ["git@bitbucket.org:shop/web.git", "bitbucket", "https://api.bitbucket.org/2.0", "shop/web"],
  ["ssh://git@altssh.bitbucket.org:443/shop/web", "bitbucket", "https://api.bitbucket.org/2.0", "shop/web"],
];

const NOT_FOUND: readonly [string, ForgeName][] = [
  ["https://example.org/shop/web.git", "generic"],
  ["file:///srv/git/web.git", "github"],
  ["/srv/git/web.git", "github"],
  ["../web.git", "gitea"],
  ["", "gitlab"],
  ["https://github.com/", "github"],
  ["https://github.com/shop", "github"],
  ["https://github.com/shop/web/tree/main", "github"],
  ["https://gitlab.com/web", "gitlab"],
  ["https://gitlab.com/shop/../web", "gitlab"],
  ["https://gitlab.com/shop/%2e%2e%2fweb", "gitlab"],
  ["https://gitlab.com/shop/%zz", "gitlab"],
  ["https://gitlab.com/shop//web", "gitlab"],
  ["https://gitlab.com/shop/we b", "gitlab"],
  ["https://git.example.org/projects/shop/web.git", "bitbucket"],
  ["ftp://github.com/shop/web.git", "github"],
];

describe("where the API of a clone URL is", () => {
  for (const [url, host, apiUrl, repositoryPath] of FOUND)
    it(`is told for ${url} (${host})`, () => {
      expect(apiOf(url, host)).to.deep.equal({ apiUrl, repositoryPath });
    });

  for (const [url, host] of NOT_FOUND)
    it(`is not guessed for "${url}" (${host})`, () => {
      expect(apiOf(url, host)).to.equal(undefined);
    });
});
