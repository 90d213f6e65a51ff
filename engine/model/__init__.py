"""The words: frozen values, a file per functional block of OCPP 2.1. They decide nothing.

Words travel between processes and rest in the journal as msgpack (`engine.model.codec`): a field may be added with a
default, never renamed, reordered in meaning or removed.
"""
