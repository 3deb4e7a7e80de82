/** Small helpers for the document. Texts are set as texts, never as HTML: workers choose their own names. */

export function byId<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no element "${id}"`);
  return element as Kind;
}

/** Sets a text only if it has changed, so that nothing is laid out again and selections stay. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function create(name: string, className = "", text = ""): HTMLElement {
  const element = document.createElement(name);
  if (className !== "") element.className = className;
  if (text !== "") element.textContent = text;
  return element;
}

/** Gives a parent one child per item, and fills each. */
export function fill<Item>(
  parent: Element,
  items: readonly Item[],
  make: () => Element,
  show: (element: Element, item: Item) => void,
): void {
  while (parent.children.length > items.length) parent.lastElementChild?.remove();
  while (parent.children.length < items.length) parent.append(make());
  for (const [i, item] of items.entries()) show(parent.children[i], item);
}
