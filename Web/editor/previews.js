// What texts give for an item. Those of one moment are asked for together, since each question reads the draft and the run anew.
export class Previews {
  /// `ask(value)` → Promise<{value, error}>, of one text or of a list of them.
  constructor(ask) {
    this.ask = ask;
    this.waiting = new Map();
    this.failed = new Set();
  }

  of(text) {
    if (!this.waiting.size) setTimeout(() => this.go());
    if (!this.waiting.has(text)) {
      let settle;
      const given = new Promise((resolve) => { settle = resolve; });
      this.waiting.set(text, { given, settle });
    }
    return this.waiting.get(text).given;
  }

  async go() {
    const asked = [...this.waiting].map(([text, { settle }]) => ({ text, settle }));
    this.waiting.clear();
    // One that fails takes a list with it: it is asked for alone until it fails no more.
    const alone = asked.filter(({ text }) => this.failed.has(text));
    const together = asked.filter(({ text }) => !this.failed.has(text));
    for (const one of alone) this.single(one);
    if (together.length < 2) { together.forEach((one) => this.single(one)); return; }
    const { value, error } = await this.ask(together.map(({ text }) => text));
    if (error) together.forEach((one) => this.single(one));
    else together.forEach(({ settle }, index) => settle({ value: value[index] }));
  }

  async single({ text, settle }) {
    const answer = await this.ask(text);
    if (answer.error) this.failed.add(text);
    else this.failed.delete(text);
    settle(answer);
  }
}
