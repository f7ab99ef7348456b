"""The player at the bottom of all pages. It plays what the buttons of player.py describe."""

import streamlit as st

from dashboard.data.audio_ticket import audio_ticket

HTML = """
<section class="mp-player" aria-label="Player">
  <div class="mp-player-buttons">
    <button type="button" data-do="previous" aria-label="Previous" title="Previous (k)">
      <svg viewBox="0 0 16 16"><path d="M3 3h2v10H3zM13 3v10L5 8z"/></svg></button>
    <button type="button" data-do="toggle" aria-label="Play" title="Play (space)">
      <svg viewBox="0 0 16 16"><path/></svg></button>
    <button type="button" data-do="next" aria-label="Next" title="Next (j)">
      <svg viewBox="0 0 16 16"><path d="M11 3h2v10h-2zM3 3l8 5-8 5z"/></svg></button>
    <button type="button" data-do="compare" aria-label="Target, at the same position"
      aria-pressed="false" title="Switch between the target and the answer (a)">A/B</button>
  </div>
  <div class="mp-player-name">
    <bdi class="mp-player-title">Choose a track</bdi> <span class="mp-player-time"></span>
  </div>
  <label class="mp-player-setting" title="space: play, j and k: next and previous, a: target or \
answer, 1 to 9: answer"><input type="checkbox" class="mp-player-keys" disabled> Keys</label>
  <div class="mp-player-wave" role="slider" tabindex="0" aria-label="Position in seconds"
    aria-valuemin="0" aria-valuemax="0" aria-valuenow="0">
    <div class="mp-player-outline"></div><div class="mp-player-marks"></div>
  </div>
  <div class="mp-player-status" role="status"></div>
  <style class="mp-player-playing"></style>
</section>
"""
# The server sends the program as a file, which browsers cache, instead of over the WebSocket.
JS = """
export default async (component) => {
  const program = await import(`${window.location.origin}/assets/player.js`);
  return program.default(component);
};
"""


@st.fragment
def draw() -> None:
    """Draw the player. It stays while the viewer changes pages, and its audio goes on.

    If its ticket is refused, it is drawn again, with the ticket that is valid then.
    """
    component = st.components.v2.component("player", html=HTML, js=JS, isolate_styles=False)
    with st.container(key="player-bar"):
        component(
            key="player", data={"ticket": audio_ticket().token}, on_refused_change=lambda: None
        )
