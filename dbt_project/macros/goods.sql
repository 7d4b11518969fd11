{# What groups of goods are made of, by department or category of the product; a name may end in %. A company with other
   names of departments and categories writes its own here: a group that nothing falls in is a group that nobody buys.
   Medicine, alcohol, tobacco and intimate goods are in no group on purpose (decision 22). #}
{% macro goods_groups() -%}
    {%- do return({
        'produce': {'department': ['PRODUCE'], 'category': []},
        'meat': {'department': ['MEAT', 'MEAT-PCKGD'], 'category': []},
        'seafood': {'department': ['SEAFOOD%'], 'category': ['SEAFOOD%']},
        'deli': {'department': ['DELI', 'SALAD BAR', 'CHEF SHOPPE'], 'category': []},
        'bakery': {'department': ['PASTRY'], 'category': ['BAKED BREAD%', 'BAKED SWEET%']},
        'dairy': {'department': [], 'category': [
            'FLUID MILK%', 'CHEESE', 'YOGURT', 'MILK BY-PRODUCTS', 'BUTTER', 'MARGARINES', 'MISC. DAIRY', 'EGGS'
        ]},
        'frozen': {'department': [], 'category': ['FRZN%', 'FROZEN%', 'ICE CREAM%']},
        'snacks': {'department': [], 'category': [
            'BAG SNACKS', 'CANDY%', 'COOKIES%', 'CRACKERS%', 'WAREHOUSE SNACKS', 'SNACK NUTS'
        ]},
        'soft_drinks': {'department': [], 'category': [
            'SOFT DRINKS', 'WATER%', 'ISOTONIC DRINKS', 'CANNED JUICES', 'REFRGRATD JUICES%', 'PWDR/CRYSTL DRNK MX'
        ]},
        'coffee_tea': {'department': [], 'category': ['COFFEE', 'TEAS', 'COCOA MIXES']},
        'baking': {'department': [], 'category': [
            'BAKING%', 'SUGARS%', 'FLOUR%', 'SPICES%', 'SHORTENING%', 'DRY MIX DESSERTS'
        ]},
        'ready_meals': {'department': [], 'category': ['SOUP', 'DINNER MXS%', 'HEAT/SERVE', 'PREPARED FOOD', 'FROZEN PIZZA']},
        'baby': {'department': [], 'category': ['BABY%', 'DIAPERS%', 'INFANT%']},
        'pet': {'department': [], 'category': ['CAT %', 'DOG %', 'PET CARE%', 'BIRD SEED']},
        'household': {'department': [], 'category': [
            'HOUSEHOLD CLEAN%', 'LAUNDRY%', 'DISHWASH%', 'BLEACH', 'PAPER TOWELS', 'BATH TISSUES', 'FD WRAPS%',
            'FACIAL TISS%', 'BROOMS%', 'AIR CARE'
        ]},
        'beauty': {'department': ['COSMETICS'], 'category': ['HAIR CARE%', 'HAND/BODY%', 'MAKEUP%', 'FRAGRANCES']},
        'flowers': {'department': ['FLORAL'], 'category': ['FLORAL%']},
    }) -%}
{%- endmacro %}


{# Whether a product's department or category is one of the group's. #}
{% macro in_goods_group(group, table) -%}
    (
    {%- for column in ['department', 'category'] %}
    {%- for name in goods_groups()[group][column] %}
        {%- if name.endswith('%') %}
        {{ table }}.{{ column }} like '{{ name }}' or
        {%- else %}
        {{ table }}.{{ column }} = '{{ name }}' or
        {%- endif %}
    {%- endfor %}
    {%- endfor %}
        false
    )
{%- endmacro %}


{# Whether a category tells of health, intimate life, alcohol or tobacco: no tag names it. #}
{% macro is_sensitive(category) -%}
    (
    {%- for name in [
        'ADULT INCONTINENCE', 'ANALGESICS', 'ANTACIDS', 'BEERS/ALES', 'CIGAR%', 'COLD AND FLU', 'DIETARY AID%', 'EYE AND EAR%',
        'FAMILY PLANNING%', 'FEMININE HYGIENE', 'FIRST AID%', 'FITNESS&DIET', 'FOOT CARE%', 'HOME HEALTH CARE', 'LAXATIVES',
        'LIQUOR%', 'PHARMACY%', 'SINUS%', 'SMOKING CESS%', 'TOBACCO%', 'VITAMINS', '%WINE%'
    ] %}
        {{ category }} like '{{ name }}'{{ ' or' if not loop.last }}
    {%- endfor %}
    )
{%- endmacro %}
