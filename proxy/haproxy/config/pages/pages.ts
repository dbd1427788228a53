/** What a visitor reads when HAProxy itself answers. */
export interface Page {
  /** For programs, and people at a terminal. */
  readonly text: string;
  /** For people who may not know what runs here. */
  readonly title: string;
  readonly advice: string;
}

export const PAGES = {
  unknownHost: {
    text: "No app is served at this host name.",
    title: "There is nothing at this address",
    advice: "Please check the address for a typing mistake.",
  },
  noCanary: {
    text: "There is no canary of this app at the moment.",
    title: "There is no new version to look at",
    advice: "The usual one is there, without the header that asks for the new one.",
  },
  noRelease: {
    text: "This app has no live release at the moment. Please try again shortly.",
    title: "This site is not there yet",
    advice: "Please try again shortly.",
  },
  noInstance: {
    text: "This app has no healthy instance at the moment. Please try again shortly.",
    title: "This site is not available at the moment",
    advice: "Please try again in a few seconds.",
  },
  unknownAccess: {
    text: "This app cannot be visited at the moment. Please try again shortly.",
    title: "This site is not available at the moment",
    advice: "Please try again in a few seconds.",
  },
  password: {
    text: "This preview needs a password.",
    title: "This page needs a password",
    advice: "Reload it to type the password. Who gave you the address knows it.",
  },
  address: {
    text: "You cannot visit this app from your address.",
    title: "This site is not for everybody",
    advice: "It cannot be visited from the network that you are in.",
  },
  tooManyRequests: {
    text: "You have sent too many requests. Please try again in a minute.",
    title: "That was a little too fast",
    advice: "Many requests came from your network. Please try again in a minute.",
  },
  tooManyOpen: {
    text: "You have too many requests open. Please try again shortly.",
    title: "That was a little too much at once",
    advice: "Many requests from your network are still open. Please try again in a few seconds.",
  },
  bodyTooLarge: {
    text: "What you sent is too large for this app.",
    title: "That is too large",
    advice: "This site takes nothing of that size.",
  },
  bodyWithoutLength: {
    text: "This app needs to know the size of what you send (Content-Length).",
    title: "This did not arrive",
    advice: "This site has to know the size of what you send, and your browser did not say it.",
  },
  requestTooSlow: {
    text: "Your request took too long to arrive. Please try again.",
    title: "Your request took too long",
    advice: "Please check your connection and try again.",
  },
  failed: {
    text: "The app could not answer. Please try again shortly.",
    title: "Something went wrong",
    advice: "It is not your fault. Please try again shortly.",
  },
  answerTooSlow: {
    text: "The app did not answer in time. Please try again shortly.",
    title: "This takes too long",
    advice: "The site did not answer in time. Please try again shortly.",
  },
} as const satisfies Record<string, Page>;

export type PageName = keyof typeof PAGES;
