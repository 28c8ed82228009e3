// Copies the text of the element it names: <copy-button data-from="id" data-done="Copied" hidden><button>Copy</button></copy-button>.
class CopyButton extends HTMLElement {
  connectedCallback() {
    const button = this.querySelector("button");
    const label = button.textContent;
    this.hidden = false;
    button.addEventListener("click", async () => {
      const source = document.getElementById(this.dataset.from);
      if (!(await copy(source))) return;
      button.textContent = this.dataset.done;
      setTimeout(() => { button.textContent = label; }, 2000);
    });
  }
}

// Where the clipboard is closed to the page, as without TLS, the text is selected for the person to copy.
async function copy(source) {
  try {
    await navigator.clipboard.writeText(source.textContent.trim());
    return true;
  } catch {
    getSelection().selectAllChildren(source);
    return document.execCommand("copy");
  }
}

customElements.define("copy-button", CopyButton);
