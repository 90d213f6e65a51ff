"""The planning of one site, pure: what was heard and the time in, orders to stations and facts about the plan out.

    site_planner   the one object per site: hears, knows when it is due, plans
    triggers       which facts make a site be planned anew, and how soon
    problems       what is known of the cars -> the arrays that an allocator solves
    aims           prices, CO2, peak and base load of the slots to come
    guard          whatever an allocator answered: within the limits, or repaired until it is
    decisions      why each car got what it got, in facts for people
    alarms         what needs a person: raised once, told again when it changes, cleared

It imports numpy: take `SitePlanner` from its module, and only where sites are planned.
"""
