// The elements of body.html that several modules use.

export const byId = (id) => document.getElementById(id);

export function hideTaken() {
  byId("taken").hidden = true;
  byId("copy").disabled = true;
}
