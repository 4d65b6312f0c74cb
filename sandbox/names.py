"""The nouns of the world: teams, places, people, works. People and works are invented."""

from __future__ import annotations

STATES = {
    "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California",
    "CO": "Colorado", "CT": "Connecticut", "DE": "Delaware", "FL": "Florida", "GA": "Georgia",
    "HI": "Hawaii", "ID": "Idaho", "IL": "Illinois", "IN": "Indiana", "IA": "Iowa",
    "KS": "Kansas", "KY": "Kentucky", "LA": "Louisiana", "ME": "Maine", "MD": "Maryland",
    "MA": "Massachusetts", "MI": "Michigan", "MN": "Minnesota", "MS": "Mississippi",
    "MO": "Missouri", "MT": "Montana", "NE": "Nebraska", "NV": "Nevada", "NH": "New Hampshire",
    "NJ": "New Jersey", "NM": "New Mexico", "NY": "New York", "NC": "North Carolina",
    "ND": "North Dakota", "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania",
    "RI": "Rhode Island", "SC": "South Carolina", "SD": "South Dakota", "TN": "Tennessee",
    "TX": "Texas", "UT": "Utah", "VT": "Vermont", "VA": "Virginia", "WA": "Washington",
    "WV": "West Virginia", "WI": "Wisconsin", "WY": "Wyoming",
}

FIRST = (
    "Ada Albert Alma Anton Beatrice Bruno Carla Cedric Clara Conrad Daria Dominic Edith Elias "
    "Esther Felix Flora Gideon Greta Hugo Ida Ilse Ivan Jasper Joan Jonas Judith Karl Lena Leon "
    "Lucia Magnus Marta Miriam Nadia Nils Olga Oscar Paula Quentin Rosa Rufus Selma Silas Stella "
    "Tessa Theo Ursula Victor Wanda Xenia Yara Zeno Amos Bella Cyrus Delia Emil Freya Gwen"
).split()
LAST = (
    "Abbott Ainsworth Barlow Beckett Birch Blackwood Bramley Calder Carrow Chadwick Colby Crane "
    "Dalton Darrow Dunmore Eastman Ellery Fairfax Farrow Fenwick Garrick Gentry Granger Hadley "
    "Halloran Harcourt Hawkins Holloway Ingram Jarvis Keating Kendrick Kirkland Langley Larkin "
    "Lockwood Maddox Marlow Mercer Montrose Nash Norwood Oakley Orson Palmer Penrose Pryor "
    "Quimby Radcliffe Redmond Rowan Sawyer Selwyn Shelby Stanton Sterling Sutton Thackeray "
    "Thorne Underhill Vance Vaughn Wainwright Walden Warwick Whitlock Winslow Woodward Wyatt "
    "Yardley York Zimmer Ashford Bellamy Corwin Delacroix Elmore Forsythe Gallant Hartwell"
).split()

OFFICES = (
    ("Secretary of State", "SECSTATE"), ("Secretary of the Treasury", "TREAS"),
    ("Attorney General", "AG"), ("Speaker of the House", "SPEAKER"), ("FBI Director", "FBI"),
    ("Federal Reserve Chair", "FEDCHAIR"), ("Prime Minister of the United Kingdom", "UKPM"),
    ("President of France", "FRPRES"), ("Chancellor of Germany", "DECHANC"),
    ("Prime Minister of Israel", "ILPM"), ("Prime Minister of Japan", "JPPM"),
    ("Mayor of New York City", "NYCMAYOR"),
)
BILLS = (
    "Grid Reliability Act", "Digital Asset Clarity Act", "Rural Broadband Act",
    "Border Staffing Act", "Student Loan Relief Act", "Child Tax Credit Act",
    "Permitting Reform Act", "Prescription Price Act", "Chip Security Act",
    "Farm Stability Act", "Ports Modernization Act", "Online Safety Act",
)

TEAMS = {
    "NFL": [
        ("ARI", "Arizona", "Cardinals"), ("ATL", "Atlanta", "Falcons"),
        ("BAL", "Baltimore", "Ravens"), ("BUF", "Buffalo", "Bills"),
        ("CAR", "Carolina", "Panthers"), ("CHI", "Chicago", "Bears"),
        ("CIN", "Cincinnati", "Bengals"), ("CLE", "Cleveland", "Browns"),
        ("DAL", "Dallas", "Cowboys"), ("DEN", "Denver", "Broncos"), ("DET", "Detroit", "Lions"),
        ("GB", "Green Bay", "Packers"), ("HOU", "Houston", "Texans"),
        ("IND", "Indianapolis", "Colts"), ("JAC", "Jacksonville", "Jaguars"),
        ("KC", "Kansas City", "Chiefs"), ("LV", "Las Vegas", "Raiders"),
        ("LAC", "Los Angeles C", "Chargers"), ("LAR", "Los Angeles R", "Rams"),
        ("MIA", "Miami", "Dolphins"), ("MIN", "Minnesota", "Vikings"),
        ("NE", "New England", "Patriots"), ("NO", "New Orleans", "Saints"),
        ("NYG", "New York G", "Giants"), ("NYJ", "New York J", "Jets"),
        ("PHI", "Philadelphia", "Eagles"), ("PIT", "Pittsburgh", "Steelers"),
        ("SF", "San Francisco", "49ers"), ("SEA", "Seattle", "Seahawks"),
        ("TB", "Tampa Bay", "Buccaneers"), ("TEN", "Tennessee", "Titans"),
        ("WAS", "Washington", "Commanders"),
    ],
    "NBA": [
        ("ATL", "Atlanta", "Hawks"), ("BOS", "Boston", "Celtics"), ("BKN", "Brooklyn", "Nets"),
        ("CHA", "Charlotte", "Hornets"), ("CHI", "Chicago", "Bulls"),
        ("CLE", "Cleveland", "Cavaliers"), ("DAL", "Dallas", "Mavericks"),
        ("DEN", "Denver", "Nuggets"), ("DET", "Detroit", "Pistons"),
        ("GSW", "Golden State", "Warriors"), ("HOU", "Houston", "Rockets"),
        ("IND", "Indiana", "Pacers"), ("LAC", "Los Angeles C", "Clippers"),
        ("LAL", "Los Angeles L", "Lakers"), ("MEM", "Memphis", "Grizzlies"),
        ("MIA", "Miami", "Heat"), ("MIL", "Milwaukee", "Bucks"),
        ("MIN", "Minnesota", "Timberwolves"), ("NOP", "New Orleans", "Pelicans"),
        ("NYK", "New York", "Knicks"), ("OKC", "Oklahoma City", "Thunder"),
        ("ORL", "Orlando", "Magic"), ("PHI", "Philadelphia", "76ers"),
        ("PHX", "Phoenix", "Suns"), ("POR", "Portland", "Trail Blazers"),
        ("SAC", "Sacramento", "Kings"), ("SAS", "San Antonio", "Spurs"),
        ("TOR", "Toronto", "Raptors"), ("UTA", "Utah", "Jazz"), ("WAS", "Washington", "Wizards"),
    ],
    "NHL": [
        ("ANA", "Anaheim", "Ducks"), ("BOS", "Boston", "Bruins"), ("BUF", "Buffalo", "Sabres"),
        ("CGY", "Calgary", "Flames"), ("CAR", "Carolina", "Hurricanes"),
        ("CHI", "Chicago", "Blackhawks"), ("COL", "Colorado", "Avalanche"),
        ("DAL", "Dallas", "Stars"), ("DET", "Detroit", "Red Wings"),
        ("EDM", "Edmonton", "Oilers"), ("FLA", "Florida", "Panthers"),
        ("LA", "Los Angeles", "Kings"), ("MIN", "Minnesota", "Wild"),
        ("MTL", "Montreal", "Canadiens"), ("NSH", "Nashville", "Predators"),
        ("NJ", "New Jersey", "Devils"), ("NYI", "New York I", "Islanders"),
        ("NYR", "New York R", "Rangers"), ("OTT", "Ottawa", "Senators"),
        ("PHI", "Philadelphia", "Flyers"), ("PIT", "Pittsburgh", "Penguins"),
        ("SJ", "San Jose", "Sharks"), ("SEA", "Seattle", "Kraken"), ("STL", "St. Louis", "Blues"),
        ("TB", "Tampa Bay", "Lightning"), ("TOR", "Toronto", "Maple Leafs"),
        ("UTA", "Utah", "Mammoth"), ("VAN", "Vancouver", "Canucks"),
        ("VGK", "Vegas", "Golden Knights"), ("WSH", "Washington", "Capitals"),
        ("WPG", "Winnipeg", "Jets"),
    ],
    "NCAAF": [
        ("ALA", "Alabama", "Crimson Tide"), ("AUB", "Auburn", "Tigers"),
        ("BYU", "BYU", "Cougars"), ("CLEM", "Clemson", "Tigers"),
        ("FLA", "Florida", "Gators"), ("FSU", "Florida St.", "Seminoles"),
        ("UGA", "Georgia", "Bulldogs"), ("IND", "Indiana", "Hoosiers"),
        ("IOWA", "Iowa", "Hawkeyes"), ("KSU", "Kansas St.", "Wildcats"),
        ("LSU", "LSU", "Tigers"), ("MIA", "Miami (FL)", "Hurricanes"),
        ("MICH", "Michigan", "Wolverines"), ("MISS", "Ole Miss", "Rebels"),
        ("ND", "Notre Dame", "Fighting Irish"), ("OHIO", "Ohio St.", "Buckeyes"),
        ("OKLA", "Oklahoma", "Sooners"), ("ORE", "Oregon", "Ducks"),
        ("PSU", "Penn St.", "Nittany Lions"), ("TENN", "Tennessee", "Volunteers"),
        ("TEX", "Texas", "Longhorns"), ("TXAM", "Texas A&M", "Aggies"),
        ("USC", "USC", "Trojans"), ("WASH", "Washington", "Huskies"),
    ],
}
SPORT_WORDS = {
    "NFL": ("professional football", "Pro Football"), "NBA": ("professional basketball",
    "Pro Basketball"), "NHL": ("professional hockey", "Pro Hockey"),
    "NCAAF": ("college football", "College Football"),
}

CITIES = (
    ("NY", "New York City", "Central Park", 48), ("CHI", "Chicago", "Midway Airport", 41),
    ("MIA", "Miami", "Miami International Airport", 80),
    ("AUS", "Austin", "Austin-Bergstrom Airport", 66), ("DEN", "Denver", "Denver Airport", 47),
    ("LAX", "Los Angeles", "Los Angeles Airport", 69), ("PHIL", "Philadelphia",
    "Philadelphia Airport", 51), ("HOU", "Houston", "Houston Hobby Airport", 70),
    ("SEA", "Seattle", "Seattle-Tacoma Airport", 49), ("SFO", "San Francisco",
    "San Francisco Airport", 60), ("ATL", "Atlanta", "Hartsfield-Jackson Airport", 59),
    ("BOS", "Boston", "Logan Airport", 47), ("PHX", "Phoenix", "Sky Harbor Airport", 75),
    ("LV", "Las Vegas", "Harry Reid Airport", 64), ("MIN", "Minneapolis",
    "Minneapolis-St. Paul Airport", 36), ("DC", "Washington, D.C.", "Reagan National Airport", 54),
)
COINS = (
    ("BTC", "Bitcoin", 94_000, 3_600, 500), ("ETH", "Ethereum", 3_250, 190, 50),
    ("SOL", "Solana", 148, 11, 5), ("XRP", "XRP", 2.30, 0.17, 0.05),
)
METRICS = (
    ("KXCPIYOY", "CPI inflation", "year-over-year CPI inflation", "%", 2.9, 0.16, 0.1,
     "Bureau of Labor Statistics"),
    ("KXU3", "Unemployment rate", "the U-3 unemployment rate", "%", 4.4, 0.12, 0.1,
     "Bureau of Labor Statistics"),
    ("KXPAYROLLS", "Jobs numbers", "total nonfarm payrolls", "", 85_000, 42_000, 25_000,
     "Bureau of Labor Statistics"),
    ("KXGDP", "US GDP growth", "annualized real GDP growth", "%", 2.1, 0.7, 0.5,
     "Bureau of Economic Analysis"),
)
FILMS = (
    "The Lantern Keeper", "Salt and Iron", "Northbound", "A Quiet Meridian", "Paper Harbor",
    "The Last Orchard", "Glass Republic", "Winter Signal", "Second Shoreline", "Blue Furnace",
    "The Cartographer", "Eleven Doors", "Static Bloom", "Hollow Crown Road", "Marble Season",
)
AWARDS = (
    ("Best Picture", "KXOSCARPIC", "Academy Awards"),
    ("Best Director", "KXOSCARDIR", "Academy Awards"),
    ("Best Drama Film", "KXGGDRAMA", "Golden Globe Awards"),
    ("Album of the Year", "KXGRAMAOTY", "Grammy Awards"),
    ("Best Screenplay", "KXOSCARSCRN", "Academy Awards"),
)
