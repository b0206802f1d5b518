/** The tests of a code task as a list, with what came of the last run beside each. */
import { html, nothing, type TemplateResult } from "lit";
import type { CaseResult, CodeData, CodeRun, CodeTest } from "../lib/code";
import { icon, kbd } from "../lib/dom";

export interface RunDesk {
  /** Whether code can be run here at all. */
  offered: boolean;
  going: boolean;
  run: CodeRun | null;
  problem: string;
  start: () => void;
}

const TONES: Record<CaseResult["outcome"], string> = { passed: "good", failed: "harm", error: "harm", timeout: "attention", not_run: "quiet" };
const WORDS: Record<CaseResult["outcome"], string> = { passed: "passed", failed: "failed", error: "error", timeout: "too slow", not_run: "not run" };

export function testsPanel(data: CodeData, desk: RunDesk, readonly: boolean): TemplateResult | typeof nothing {
  if (!data.tests.length && !data.hidden_tests) return nothing;
  return html`<section class="code-tests" aria-label="Tests">
    <div class="flex items-center gap-2 flex-wrap">
      <h2 class="eyebrow">Tests</h2>
      <span class="text-sm num" role="status">${statusWords(data, desk)}</span>
      ${readonly || !desk.offered
        ? nothing
        : html`<button type="button" class="btn btn-plain btn-sm ml-auto" ?disabled=${desk.going} aria-keyshortcuts="Alt+Enter" @click=${desk.start}>
            ${desk.going ? html`<span class="loading loading-spinner loading-xs" aria-hidden="true"></span>Running…` : html`${icon("play")}Run tests`}<span class="max-lg:hidden">${kbd("Alt ↵")}</span>
          </button>`}
    </div>
    ${desk.problem ? html`<p class="note mt-2 text-sm" data-tone="warning" role="alert">${icon("circle-alert")}<span>${desk.problem}</span></p>` : nothing}
    <ul class="mt-1.5 grid gap-1">${data.tests.map((test) => testRow(test, desk.run))}</ul>
    ${data.hidden_tests ? html`<p class="text-sm text-muted mt-2">${icon("eye-off")} ${data.hidden_tests} more ${data.hidden_tests === 1 ? "test counts" : "tests count"} and ${data.hidden_tests === 1 ? "is" : "are"} not shown.</p>` : nothing}
    ${readonly || desk.offered ? nothing : html`<p class="text-sm text-muted mt-2">Code is not run here: this is practice.</p>`}
  </section>`;
}

function statusWords(data: CodeData, desk: RunDesk): string {
  if (desk.going) return "";
  const subjects = Object.entries(desk.run?.subjects ?? {});
  if (!subjects.length) return `${data.tests.length} shown`;
  return subjects.map(([name, found]) => `${subjects.length > 1 ? `${name}: ` : ""}${found.passed} of ${found.of} passed`).join(" · ");
}

function testRow(test: CodeTest, run: CodeRun | null): TemplateResult {
  const found = Object.entries(run?.subjects ?? {}).map(([name, subject]) => [name, subject.cases.find((each) => each.name === test.name)] as const);
  const many = found.length > 1;
  return html`<li><details class="code-test" ?open=${!many && found.some(([, each]) => each && each.outcome !== "passed")}>
    <summary><span class="min-w-0 truncate">${test.name}</span>
      <span class="ml-auto flex gap-1.5 flex-none">${found.map(([name, each]) =>
        each ? html`<span class="pill" data-tone=${TONES[each.outcome]}>${many ? html`<b>${name}</b>` : nothing} ${WORDS[each.outcome]}</span>` : nothing,
      )}</span>
    </summary>
    <div class="code-test-body">
      ${test.expected === null ? block("Must succeed", test.command.join(" ")) : html`${test.stdin ? block("Input", test.stdin) : nothing}${test.arguments.length ? block("Arguments", test.arguments.join(" ")) : nothing}${block("Expected", test.expected || "(nothing)")}`}
      ${Object.entries(test.files).map(([path, text]) => block(path, text))}
      ${found.map(([name, each]) => (each ? result(many ? name : "", each, test) : nothing))}
    </div>
  </details></li>`;
}

function result(name: string, each: CaseResult, test: CodeTest): TemplateResult {
  return html`<div class="code-result" data-tone=${TONES[each.outcome]}>
    <p class="text-sm font-medium">${name ? html`<b>${name}</b>: ` : nothing}${each.message || "Passed."} <span class="text-muted num font-normal">${each.seconds.toFixed(2)} s</span></p>
    ${each.stdout && (test.expected !== null || each.outcome !== "passed") ? block("Output", each.stdout) : nothing}
    ${each.stderr && each.outcome !== "passed" ? block("Errors", each.stderr) : nothing}
  </div>`;
}

function block(title: string, text: string): TemplateResult {
  return html`<div><p class="eyebrow">${title}</p><pre class="code-block" tabindex="0">${text}</pre></div>`;
}
