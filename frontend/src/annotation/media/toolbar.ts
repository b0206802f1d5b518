/** Buttons of the bars above and below the material. */
import { html, nothing, type TemplateResult } from "lit";
import { icon } from "../../lib/dom";
import { SPEEDS, type Player } from "./player";
import { clock } from "./span";

export function tool(words: string, picture: TemplateResult, act: () => void, pressed?: boolean, disabled = false): TemplateResult {
  return html`<button type="button" class="media-tool" title=${words} aria-label=${words} aria-pressed=${pressed === undefined ? nothing : String(pressed)} ?disabled=${disabled} @click=${act}>${picture}</button>`;
}

export const playButton = (player: Player): TemplateResult =>
  html`<button type="button" class="btn btn-sm btn-primary" ?disabled=${!player.duration} @click=${() => player.toggle()}>${player.playing ? icon("pause") : icon("play")} ${player.playing ? "Pause" : "Play"}</button>`;

export const position = (player: Player, further = ""): TemplateResult => html`<span class="num text-sm media-time">${clock(player.time, 2)} of ${clock(player.duration, 1)}${further}</span>`;

export function speedAndVolume(player: Player, drawn: () => void): TemplateResult {
  const { media } = player;
  return html`<label class="media-slider"><span>Speed</span><select class="select select-sm media-speed" @change=${(event: Event) => (player.setSpeed(Number((event.target as HTMLSelectElement).value)), drawn())}>
      ${SPEEDS.map((speed) => html`<option value=${speed} ?selected=${media.playbackRate === speed}>${speed} ×</option>`)}</select></label>
    <label class="media-slider max-md:hidden"><span>${media.muted || media.volume === 0 ? icon("volume-x", "Volume") : icon("volume-2", "Volume")}</span><input type="range" class="range range-xs" min="0" max="1" step="0.05" .value=${String(media.volume)}
      aria-valuetext="${Math.round(media.volume * 100)} percent" @input=${(event: Event) => (media.volume = Number((event.target as HTMLInputElement).value))}></label>`;
}
