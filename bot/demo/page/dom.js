// Builds and reorders DOM nodes; text only ever enters the page here, as text nodes.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element; `on` holds listeners, `data` the dataset, everything else is an attribute. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    else if (name === "data") Object.assign(node.dataset, value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Make an SVG drawing from `[tag, attributes]` shapes; hidden from screen readers unless it has a label. */
export function svg(shapes, { size = 20, viewBox = "0 0 20 20", label = null, className = "icon" } = {}) {
  const root = document.createElementNS(SVG, "svg");
  const attributes = { viewBox, width: size, height: size, class: className };
  Object.assign(attributes, label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" });
  set(root, attributes);
  for (const [tag, shape] of shapes) root.append(set(document.createElementNS(SVG, tag), shape));
  return root;
}

function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

/** Make `parent` hold exactly `nodes`, moving as little as possible so that focus and hover stay. */
export function arrange(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...parent.childNodes]) if (!wanted.has(child)) child.remove();
  nodes.forEach((node, index) => {
    if (parent.childNodes[index] !== node) parent.insertBefore(node, parent.childNodes[index] ?? null);
  });
}
