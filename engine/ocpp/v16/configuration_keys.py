"""Configuration keys: how 1.6 says a variable. The table is `engine.model.configuration_keys`."""

from engine.model.configuration_keys import REF_OF_KEY
from engine.model.provisioning import VariableRef
from engine.ocpp.translation import NotExpressible


def _address(ref: VariableRef) -> tuple[str, ...]:
    """What names a variable in the table; 2.x names are case-insensitive."""
    parts = (ref.component, ref.component_instance, ref.variable, ref.variable_instance)
    return tuple((part or "").lower() for part in parts)


_KEY_OF_ADDRESS = {_address(ref): key for key, ref in REF_OF_KEY.items()}


def key_of_ref(ref: VariableRef) -> str:
    """The key that a variable means.

    Raises:
        NotExpressible: 1.6 has no such key, or no such part of one.
    """
    if ref.attribute not in (None, "Actual"):
        raise NotExpressible(f"OCPP 1.6 keys have no {ref.attribute} attribute; only Actual can be said")
    if ref.evse is not None:
        raise NotExpressible("OCPP 1.6 keys belong to the whole station; name the variable without an EVSE")
    if not ref.component:
        return ref.variable
    key = _KEY_OF_ADDRESS.get(_address(ref))
    if key is None:
        raise NotExpressible(
            f"OCPP 1.6 has no key that means {ref.component}.{ref.variable}; name a key by component '' and the key"
        )
    return key
