"""Patch for the library muq, so that it works with transformers 5.

The library uses the conformer from transformers and needs all hidden states. Since transformers
5.15, the conformer neither returns its hidden states nor accepts the plain configuration that the
library passes. The patch restores the behaviour of transformers 4, for one loaded model only.
"""

from typing import Any

from transformers.modeling_outputs import BaseModelOutput


def restore_hidden_states(conformer: Any) -> None:
    """Make a `Wav2Vec2ConformerEncoder` return the input of each layer and the final state.

    The function also sets the attention implementation, which the library's configuration does not
    name.
    """
    conformer.config["_attn_implementation"] = "eager"
    forward = conformer.forward

    def forward_with_hidden_states(states: Any, attention_mask: Any = None, **_: Any) -> Any:
        layer_inputs: list[Any] = []

        def store_input(_layer: Any, arguments: Any, keywords: Any) -> None:
            layer_inputs.append(arguments[0] if arguments else keywords["hidden_states"])

        hooks = [
            layer.register_forward_pre_hook(store_input, with_kwargs=True)
            for layer in conformer.layers
        ]
        try:
            last = forward(states, attention_mask=attention_mask)[0]
        finally:
            for hook in hooks:
                hook.remove()
        return BaseModelOutput(last_hidden_state=last, hidden_states=(*layer_inputs, last))

    conformer.forward = forward_with_hidden_states
