"""What a new database starts with: the venues, and what their category words mean here.

Both become rows that a person edits; nothing reads these tables again after the first migration.
"""

VENUE_ROWS = [
    ("kalshi", "Kalshi", "https://kalshi.com", ""),
    ("polymarket", "Polymarket", "https://polymarket.com", ""),
    (
        "predictit",
        "PredictIt",
        "https://www.predictit.org",
        "Read only. Market data provided by PredictIt for non-commercial use.",
    ),
]

CATEGORY_WORDS = {
    "kalshi": {
        "politics": ["Politics", "Elections"],
        "sports": ["Sports"],
        "crypto": ["Crypto"],
        "economics": ["Economics"],
        "finance": ["Financials", "Companies", "Commodities"],
        "world": ["World"],
        "weather": ["Climate and Weather", "Weather", "Climate"],
        "culture": ["Entertainment", "Culture", "Social"],
        "tech": ["Science and Technology", "Technology", "Science", "Health"],
        "mentions": ["Mentions"],
        "other": ["Transportation", "Exotics", "Education"],
    },
    "polymarket": {
        "politics": ["politics", "elections", "us-politics", "trump", "global-elections"],
        "sports": [
            "sports",
            "nfl",
            "nba",
            "nhl",
            "mlb",
            "soccer",
            "tennis",
            "cfb",
            "ufc",
            "esports",
            "golf",
            "cricket",
            "epl",
            "formula1",
        ],
        "crypto": ["crypto", "bitcoin", "ethereum", "solana", "crypto-prices"],
        "economics": ["economy", "economics", "fed", "fed-rates", "inflation", "jobs", "gdp"],
        "finance": ["finance", "business", "stocks", "commodities", "earnings", "equities"],
        "world": ["world", "geopolitics", "middle-east", "ukraine", "iran", "israel", "china"],
        "weather": ["weather", "climate", "climate-weather", "climate-science"],
        "culture": ["pop-culture", "culture", "movies", "music", "awards", "celebrities", "tv"],
        "tech": ["tech", "science", "ai", "big-tech", "space", "openai", "health"],
        "mentions": ["mentions", "mention-markets"],
    },
    "predictit": {"politics": ["politics"]},
}
