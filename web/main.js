// SPDX-License-Identifier: GPL-2.0-or-later
import { el, byId } from "./dom.js";
import { readRecording } from "./recording.js";
import { Selection, sumUp } from "./selection.js";
import { taskColours } from "./colours.js";
import { drawHead, drawQuality } from "./head.js";
import { Tasks, drawSelection } from "./tasks.js";
import { Timeline } from "./timeline.js";
import { Stacks } from "./stacks.js";
import { Quanta } from "./quanta.js";
import { Waits, Files } from "./events.js";
import { Storage } from "./storage.js";
import { Remotes } from "./remotes.js";
import { Ceph } from "./ceph.js";
import { Memory } from "./memory.js";
import { Distributions } from "./distributions.js";

/** gzip in base64: a page for a long recording would be too large without. */
const unpack = async (text) => {
  if (!window.DecompressionStream) throw new Error("this browser is too old; Chrome 80, Firefox 113 and Safari 16.4 can");
  const letters = atob(text.trim()), bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
};

/** What there is on the page, in its order. */
const drawContents = () => byId("contents").replaceChildren(...[...document.querySelectorAll("main > section")].filter(({ hidden }) => !hidden)
  .map(({ id }) => el("a", { href: `#${id}` }, byId(`${id}-title`).textContent)));

const start = async () => {
  const recording = readRecording(await unpack(byId("data").textContent));
  byId("data").remove(); // large, and no longer needed
  const selection = new Selection(recording);
  const everything = new Uint8Array(recording.bucketEnds.length + 1).fill(1);
  const colourOf = taskColours(sumUp(recording, (epoch) => epoch.task, everything, null));
  drawHead(recording);
  drawSelection(selection);
  const parts = [new Tasks(selection), new Quanta(selection), new Timeline(selection, colourOf), new Stacks(selection), new Waits(selection), new Files(selection), new Storage(selection),
    new Remotes(selection), new Ceph(selection), new Memory(selection), new Distributions(selection)];
  drawQuality(recording);
  drawContents();
  document.documentElement.dataset.ready = parts.length;
};

start().catch((error) => {
  byId("head").replaceChildren(el("h1", {}, "pipescope"), el("p", { class: "bad" }, `This page could not be drawn: ${error.message}`));
  throw error;
});
