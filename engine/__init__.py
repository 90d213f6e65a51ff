"""What the product knows: words, rules and the wire. Pure: no Ray, socket, Redis, SQL, clock or chance."""
