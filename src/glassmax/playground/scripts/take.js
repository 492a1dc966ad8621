// The state to take along: as a link, as Python, as a derivation; and back from a link.

import { byId } from "./elements.js";
import { asDerivation, asPython } from "./export_text.js";
import { fragmentOf, readFragment, restore, stateOf } from "./link.js";

export async function take(app, what) {
  const { session, selected, sample } = app;
  let text;
  if (what === "link") {
    app.training.pause();
    history.replaceState(null, "", await fragmentOf(stateOf(session, { selected, sample })));
    text = location.href;
    if (session.data.name === "table" && !stateOf(session).text) app.say("The table is too large for a link, so the link leaves it out. Whoever opens the link needs the file too.");
  } else text = what === "python" ? asPython(session) : asDerivation(session, app.arrays);
  byId("taken").textContent = text;
  byId("taken").hidden = byId("copy").disabled = false;
}

export function copy(app) {
  const refused = "This browser doesn't let the page copy. Select the text and copy it yourself.";
  if (!navigator.clipboard) return app.say(refused);
  navigator.clipboard.writeText(byId("taken").textContent).then(() => app.say("Copied."), () => app.say(refused));
}

export async function fromLink(app, fragment) {
  try {
    const state = await readFragment(fragment);
    if (!(await app.load(state.data, state.text, state.file, state.target, state.settings))) return;
    restore(app.session, state);
    const { sample, selected } = state.view ?? {};
    app.sample = Number.isInteger(sample) && sample >= 0 && sample < app.session.data.n ? sample : null;
    app.controls.draw();
    app.rebuild();
    app.breaking.build();
    const M = app.arrays[selected?.name];
    if (M && selected.i < M.rows && selected.j < M.cols) app.choose(selected.name, selected.i, selected.j);
  } catch (error) {
    app.say(`The link can't be read: ${error.message}`);
  }
}
