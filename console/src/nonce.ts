/** What styles that are made while the page runs must carry to count; the server makes one for each answer. */
export const NONCE = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";

/** Hands the nonce to parts of Ant Design that make style elements and know of no policy, such as the scroll lock of dialogs. */
export function giveNonceToStyles() {
  const create = document.createElement.bind(document) as (name: string, options?: ElementCreationOptions) => HTMLElement;
  document.createElement = (name: string, options?: ElementCreationOptions) => {
    const element = create(name, options);
    if (element instanceof HTMLStyleElement) element.nonce = NONCE;
    return element;
  };
}
